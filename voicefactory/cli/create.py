"""The commands that make a voice, or tell before what it will need."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicefactory.cli.ending import say_aside, stoppable
from voicefactory.cli.places import TOY, use_home
from voicefactory.errors import InputError

if TYPE_CHECKING:
    from voicefactory.pipeline.request import Request
    from voicefactory.types import ShouldStop

app = typer.Typer()


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the voice is called.", metavar="NAME")],
    paths: Annotated[
        list[Path],
        typer.Argument(help="Recordings: audio files, folders, zips, or hf:owner/name on the Hub.", metavar="PATH..."),
    ],
    engine: Annotated[str, typer.Option(help="The model family to fine-tune.")] = "qwen3-tts",
    model: Annotated[
        str, typer.Option(help="Base model: toy, a Hub id or a directory.", envvar="VOICEFACTORY_MODEL")
    ] = "",
    preset: Annotated[str, typer.Option(help="How to train: a name (see presets) or a YAML file.")] = "quick",
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the preset. Repeatable.")
    ] = None,
    language: Annotated[str, typer.Option(help="auto, english, german, ...")] = "auto",
    transcripts: Annotated[
        str, typer.Option(help="Your own texts: metadata.csv, JSONL, or a folder of .txt files. Skips Whisper.")
    ] = "",
    asr: Annotated[
        str, typer.Option(help="Whisper model: a name, a directory, or auto.", envvar="VOICEFACTORY_ASR")
    ] = "auto",
    numbers: Annotated[
        str, typer.Option(help="'as written' by Whisper, or 'in words': twenty-one instead of 21.")
    ] = "as written",
    clean: Annotated[
        str, typer.Option(help="What to do to the clips: highpass, denoise, level, with commas between.")
    ] = "",
    reference: Annotated[str, typer.Option(help="The clip that shows the voice; otherwise the best one.")] = "",
    speakers: Annotated[
        str, typer.Option(help="one, or folders: each folder inside of what you give is a speaker.")
    ] = "one",
    extra_texts: Annotated[
        str, typer.Option(help="Sentences that nobody recorded, one a line. For the preset text-embedding-only.")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    train_devices: Annotated[
        str, typer.Option(help="Several that train together, such as cuda:0,cuda:1; otherwise the one above.")
    ] = "",
    wait_gpu: Annotated[
        bool, typer.Option("--wait-gpu", help="Train when a card has the memory free; until then, wait.")
    ] = False,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Make a voice from recordings. Run it again after an interruption, and it goes on where it was."""
    use_home(home)
    with stoppable() as stop:
        from voicefactory.pipeline.request import Request

        request = Request(
            engine=engine,
            model=model,
            preset=preset,
            overrides=tuple(overrides or ()),
            language=language,
            transcripts=transcripts,
            asr=asr,
            numbers=numbers,
            clean=clean,
            reference=reference,
            speakers=speakers,
            extra_texts=extra_texts,
            device=device,
            train_devices=train_devices,
            wait_gpu=wait_gpu,
        )
        result = _create(name, paths, request, home, stop.asked)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        summarize(result)


def _create(
    name: str, paths: list[Path], request: Request, home: Path | None, should_stop: ShouldStop
) -> dict[str, Any]:
    """The work of `create`; what it made, as JSON."""
    from voicefactory.cli.progress import progress_on
    from voicefactory.engines import registry
    from voicefactory.owners import LOCAL
    from voicefactory.pipeline.create import check_request, create
    from voicefactory.pipeline.hub_data import is_hub_name, parse_hub_name
    from voicefactory.project import Project, projects_root, slug
    from voicefactory.quotas import check_project

    check_request(request)  # before a folder is made for it
    engine = registry.get(request.engine)
    request = dataclasses.replace(request, model=request.model or engine.default_model())
    if request.model == "toy" or (Path(request.model).is_dir() and engine.is_toy(Path(request.model))):
        say_aside(TOY)
    for path in paths:
        if is_hub_name(path):
            parse_hub_name(path)
        elif not path.expanduser().exists():
            raise InputError(f"There is no file or folder {str(path)!r}. Check the path.")
    if not (projects_root(home) / slug(name) / "project.json").exists():
        check_project(LOCAL, home)
    project = Project.create(name, home)
    with project.alone(), progress_on() as tell:
        created = create(project, paths, request, on_progress=tell, should_stop=should_stop)
    return dict(created.to_json())


@app.command()
def plan(
    project: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="PROJECT")],
    preset: Annotated[str, typer.Option(help="How to train: a name (see presets) or a YAML file.")] = "quick",
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one key of the preset. Repeatable.")
    ] = None,
    engine: Annotated[str, typer.Option(help="The model family to fine-tune.")] = "qwen3-tts",
    model: Annotated[
        str, typer.Option(help="Base model: toy, a Hub id or a directory.", envvar="VOICEFACTORY_MODEL")
    ] = "",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show what training will need, before it starts: memory, time, and the numbers that auto stands for."""
    use_home(home)
    from voicefactory.cli.plan import lines, plan_of

    found = plan_of(project, engine=engine, model=model, preset=preset, overrides=overrides or (), home=home)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(found)))


def summarize(result: dict[str, Any]) -> None:
    for refused in result["refused"]:
        say_aside(f"Not used: {refused['file']}: {refused['reason']}")
    if result["drift"]:
        say_aside(f"Training was stopped because the voice drifted away from its speaker. {result['drift']}")
    typer.echo(f"Clips      {result['clips']} used, {len(result['refused'])} refused")
    typer.echo(f"Reference  {result['reference']}")
    for sample in result["samples"]:
        typer.echo(f"Sample     {sample}")
    if result.get("zip"):
        typer.echo(f"Download   {result['zip']}")
    typer.echo(f"Voice      {result['voice']}")
