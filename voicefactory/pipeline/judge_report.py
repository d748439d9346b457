"""placeholder"""

from voicefactory.pipeline.judge import Judgement


def report(found: Judgement) -> str:
    """HTML."""
    return found.pick.sentence
