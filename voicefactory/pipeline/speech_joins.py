"""Pieces of speech, one after the other: the silence at their edges taken away, a pause put between, no click.

How long a pause is: in read speech of five languages pauses are of two kinds, below 200 ms and from 200 ms to 1 s
(Campione and Véronis, "A large-scale multilingual study of silent pause duration", Speech Prosody 2002). 0.6 s sounds
most natural to listeners (Liu et al. 2022, Frontiers in Psychology 13:778018), so that stands between sentences. Pauses
between paragraphs are longer than between sentences, 0.4 to 1.8 s (Kazlauskienė and Kalašinskaitė 2020, Respectus
Philologicus 37); 1 s is the upper end of what Campione and Véronis find. Within a sentence the lower end is taken.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from voicefactory.pipeline.text_pieces import End

Samples = npt.NDArray[np.float32]

#: Seconds between what is heard before and after.
PAUSES_S: Mapping[End, float] = {"clause": 0.25, "sentence": 0.6, "paragraph": 1.0}
#: Kept around what is heard: a voice begins and ends softly. Shorter than the half of every pause.
MARGIN_S = 0.06
_FADE_S = 0.01
_WINDOW_S = 0.01
_QUIET_DB = -45.0  #: below the loudest moment: fainter than the end of an s, louder than the noise of a codec


def trimmed(samples: Samples, rate: int) -> Samples:
    """`samples` (mono, `rate` Hz) from MARGIN_S before the first sound to MARGIN_S after the last, faded in and out.

    What is silent altogether stays as it is.
    """
    window = max(1, round(_WINDOW_S * rate))
    count = -(-len(samples) // window)
    padded = np.pad(samples, (0, count * window - len(samples)))
    level = np.sqrt(np.square(padded, dtype=np.float64).reshape(count, window).mean(axis=1)) if count else np.zeros(0)
    if not count or not level.max() > 0:
        return samples
    heard = np.flatnonzero(level > level.max() * 10 ** (_QUIET_DB / 20))
    margin = round(MARGIN_S * rate)
    begin, end = max(0, heard[0] * window - margin), min(len(samples), (heard[-1] + 1) * window + margin)
    return _faded(samples[begin:end], rate)


def with_pause(samples: Samples, rate: int, end: End | None) -> Samples:
    """`trimmed` speech with the pause after it, so that pieces can simply be put end to end; None: it is the last."""
    if end is None:
        return samples
    return np.concatenate([samples, np.zeros(round((PAUSES_S[end] - 2 * MARGIN_S) * rate), dtype=np.float32)])


def _faded(samples: Samples, rate: int) -> Samples:
    length = min(round(_FADE_S * rate), len(samples) // 2)
    ramp = np.linspace(0, 1, length, endpoint=False, dtype=np.float32)
    faded = np.array(samples)
    faded[:length] *= ramp
    faded[len(faded) - length :] *= ramp[::-1]
    return faded
