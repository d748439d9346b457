"""The commands with finished voices: let them speak, judge them, hand them on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from voicefactory.cli.ending import say_aside, stoppable
from voicefactory.cli.places import TOY, refuse_folder, use_home
from voicefactory.errors import InputError

app = typer.Typer()


@app.command()
def say(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    text: Annotated[str, typer.Argument(help="What to say.", metavar="TEXT")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The wav, flac or mp3 to write.", metavar="OUT.wav")],
    language: Annotated[
        str, typer.Option(help="auto, english, german, ...; otherwise the one it was trained in.")
    ] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks, if the voice has several; otherwise the newest.")] = "",
    instruct: Annotated[str, typer.Option(help="How to speak, in words; for voices of the size 1.7B.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    temperature: Annotated[float | None, typer.Option(help="How freely it speaks, 0.1 to 1.5.")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="No chance at all: always the likeliest sound.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
) -> None:
    """Speak a text with a voice, however long it is: sentence by sentence."""
    from voicefactory.cli.progress import progress_on
    from voicefactory.cli.say import notes
    from voicefactory.pipeline.synthesize import synthesize

    refuse_folder(out, "voice.wav")
    began = time.monotonic()
    with stoppable() as stop, progress_on() as tell:
        speech = synthesize(
            voice,
            text,
            out,
            language=language,
            seed=seed,
            temperature=temperature,
            greedy=greedy,
            device=device,
            speaker=speaker,
            instruct=instruct,
            on_progress=tell,
            should_stop=stop.asked,
        )
    took = time.monotonic() - began
    typer.echo(f"{out}: {speech.seconds:.1f} s of speech, seed {speech.seed}, made in {took:.1f} s")
    for note in notes(voice, speech, TOY):
        say_aside(note)


@app.command("say-lines")
def say_lines(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    lines: Annotated[Path, typer.Argument(help="A .txt, or a .csv with a column 'text'.", metavar="LINES")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.", metavar="OUT.zip")],
    form: Annotated[str, typer.Option(help="wav, flac or mp3.")] = "wav",
    language: Annotated[
        str, typer.Option(help="auto, english, german, ...; otherwise the one it was trained in.")
    ] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks, if the voice has several; otherwise the newest.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
) -> None:
    """Speak every line of a file into one of its own; all in a zip with a list. Run again, it goes on."""
    from voicefactory.cli.progress import progress_on
    from voicefactory.cli.say import speak_lines

    refuse_folder(out, "lines.zip")
    with stoppable() as stop, progress_on() as tell:
        count = speak_lines(
            voice,
            lines,
            out,
            form=form,
            language=language,
            speaker=speaker,
            seed=seed,
            device=device,
            on_progress=tell,
            should_stop=stop.asked,
        )
    typer.echo(f"{out}: {count} lines")


@app.command()
def judge(
    voice: Annotated[
        str, typer.Argument(help="A voice's folder, or a project's name for all of its.", metavar="VOICE")
    ],
    sentences: Annotated[int, typer.Option(help="How many each of them says.", min=1)] = 24,
    seeds: Annotated[int, typer.Option(help="Takes of each sentence.", min=1)] = 2,
    quick: Annotated[bool, typer.Option("--quick", help="6 sentences, one take: a first impression.")] = False,
    base: Annotated[str, typer.Option(help="Base model for zero-shot; otherwise the one of the voice.")] = "",
    reference: Annotated[str, typer.Option(help="What zero-shot imitates: an audio file or a clip's id.")] = "",
    language: Annotated[str, typer.Option(help="english, german, ...; otherwise the voice's.")] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks, if the voice has several; otherwise the first.")] = "",
    asr: Annotated[
        str, typer.Option(help="Whisper model: a name, a directory, or auto.", envvar="VOICEFACTORY_ASR")
    ] = "auto",
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints/--no-checkpoints", help="Also other weights that were kept.")
    ] = True,
    project: Annotated[str, typer.Option(help="Whose recordings, if the voice lies outside its project.")] = "",
    out: Annotated[Path | None, typer.Option("--report", help="Also write a report.", metavar="FILE.html")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Compare a voice with its recordings and with the base model's zero-shot clone. Goes on where it was stopped."""
    use_home(home)
    from voicefactory.cli.judge import QUICK_SEEDS, QUICK_SENTENCES, check_report, judged, lines, write_report
    from voicefactory.cli.progress import progress_on
    from voicefactory.pipeline.judgement import to_json

    check_report(out)
    request = {
        "sentences": min(sentences, QUICK_SENTENCES) if quick else sentences,
        "seeds": min(seeds, QUICK_SEEDS) if quick else seeds,
        "base": base,
        "reference": reference,
        "language": language,
        "speaker": speaker,
        "asr": asr,
        "device": device,
        "checkpoints": checkpoints,
    }
    with stoppable() as stop, progress_on() as tell:
        found = judged(voice, request, project=project, home=home, on_progress=tell, should_stop=stop.asked)
    told = {**to_json(found), "judgement": str(found.path), "report": write_report(found, out)}
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(lines(found)))


@app.command("zero-shot")
def zero_shot(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    base: Annotated[str, typer.Option(help="Base model; otherwise the one of the newest voice.")] = "",
    reference: Annotated[str, typer.Option(help="What it imitates: an audio file or a clip's id.")] = "",
    language: Annotated[str, typer.Option(help="english, german, ...; otherwise that of the recordings.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Make a voice without training: the base model imitates the reference. For when judge says that suffices."""
    use_home(home)
    from voicefactory.cli.progress import progress_on
    from voicefactory.cli.zero_shot import lines, zero_shot_of

    request = {"base": base, "reference": reference, "language": language, "device": device}
    with progress_on() as tell:
        found = zero_shot_of(name, request, home=home, on_progress=tell)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines(found)))


@app.command()
def package(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.", metavar="OUT.zip")],
) -> None:
    """Put a voice into one zip."""
    from voicefactory.pipeline.package import zip_voice

    refuse_folder(out, "voice.zip")
    typer.echo(zip_voice(voice, out))


@app.command()
def push(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    repo_id: Annotated[str, typer.Argument(help="owner/name on the Hugging Face Hub.", metavar="REPO_ID")],
    public: Annotated[bool, typer.Option("--public", help="Let everybody see it.")] = False,
) -> None:
    """Upload a voice to the Hugging Face Hub: private unless --public. The token is HF_TOKEN, or your login."""
    from huggingface_hub import get_token

    from voicefactory.cli.progress import progress_on
    from voicefactory.pipeline.publish import TOKENS_PAGE, publish

    token = get_token()
    if not token:
        raise InputError(
            f"Log in with 'hf auth login', or set HF_TOKEN to a token with write permission ({TOKENS_PAGE})."
        )
    with progress_on() as tell:
        url = publish(voice, repo_id, token=token, public=public, on_progress=tell)
    typer.echo(url)
