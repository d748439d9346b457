"""The commands on recordings and texts: clean, measure, look through, take away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from voicefactory.cli.ending import stoppable
from voicefactory.cli.places import use_home

app = typer.Typer()


@app.command()
def clean(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    denoise: Annotated[bool, typer.Option("--denoise", help="Take away noise.")] = False,
    level: Annotated[bool, typer.Option("--level", help="Bring all to one loudness.")] = False,
    highpass: Annotated[bool, typer.Option("--highpass", help="Take away rumble below the voice.")] = False,
    clips: Annotated[str, typer.Option(help="Ids with commas between; otherwise all.", metavar="ID,...")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Bring the originals back.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Clean the clips of a project. The originals are kept, and texts stay."""
    use_home(home)
    with stoppable() as stop:
        from voicefactory.cli.clean import clean_clips, summary

        steps = {"denoise": denoise, "level": level, "highpass": highpass}
        result = clean_clips(name, steps=steps, clips=clips, undo=undo, home=home, should_stop=stop.asked)
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else summary(result))


@app.command()
def analyse(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    dnsmos: Annotated[bool, typer.Option("--dnsmos/--no-dnsmos", help="Also rate the sound; takes longest.")] = True,
    worst: Annotated[int | None, typer.Option(help="Only so many, the riskiest.", min=1)] = None,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Measure every clip, and show what is wrong with which, the riskiest first."""
    use_home(home)
    from voicefactory.cli.analyse import analysis_of, lines
    from voicefactory.cli.progress import progress_on

    with stoppable() as stop, progress_on() as tell:
        found = analysis_of(name, home=home, dnsmos=dnsmos, worst=worst, on_progress=tell, should_stop=stop.asked)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines(found)))


@app.command()
def dataset(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep it as it is now, for training.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only the frozen ones.")] = False,
    reference: Annotated[str, typer.Option(help="The clip that shows the voice, to freeze with.")] = "",
    speakers: Annotated[str, typer.Option(help="one, or folders, as for create.")] = "one",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show what training would see, whether it is enough, and what would help most; or freeze it."""
    use_home(home)
    from voicefactory.cli.dataset import dataset_of, frozen_lines, lines
    from voicefactory.cli.progress import progress_on

    with progress_on() as tell:
        found = dataset_of(name, home=home, freeze=freeze, reference=reference, speakers=speakers, on_progress=tell)
    told = frozen_lines(found["frozen"]) if only_list else lines(name, found, home=home)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(told))


@app.command()
def prompts(
    language: Annotated[str, typer.Argument(help="english, german, ...", metavar="LANGUAGE")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Print sentences to read aloud, the most useful first: about half an hour of speech."""
    from voicefactory.cli.dataset import prompt_lines, prompts_of

    rows = prompts_of(language)
    typer.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(prompt_lines(rows)))


@app.command()
def transcripts(
    project: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    form: Annotated[str, typer.Option("--export", help="ljspeech, jsonl, srt or vtt; with --out.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="The file to write.", metavar="PATH")] = None,
    opinion: Annotated[
        str, typer.Option("--second-opinion", help="Another Whisper model, which hears the riskiest rows.")
    ] = "",
    worst: Annotated[int, typer.Option(help="How many rows it hears.", min=1)] = 10,
    numbers: Annotated[str, typer.Option(help="Write Whisper's numbers anew: 'as written' or 'in words'.")] = "",
    sizes: Annotated[bool, typer.Option("--asr-sizes", help="Whisper sizes, and how long they would take.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show what was heard; write it to a file, ask another Whisper, choose how numbers are written."""
    use_home(home)
    with stoppable() as stop:
        from voicefactory.cli.progress import progress_on
        from voicefactory.cli.transcripts import lines, transcripts_of

        with progress_on() as tell:
            done = transcripts_of(
                project,
                home=home,
                form=form,
                out=out,
                opinion=opinion,
                worst=worst,
                numbers=numbers,
                sizes=sizes,
                on_progress=tell,
                should_stop=stop.asked,
            )
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else "\n".join(lines(done)))
