"""The commands for the machine and for the page: what there is, is it fit, open it, delete what lies on it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from voicefactory.cli.places import use_home

app = typer.Typer()


@app.command()
def delete(
    name: Annotated[
        str, typer.Argument(help="The voice's name, or its folder's name if it is somebody else's.", metavar="NAME")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="Everything of one owner.")] = False,
    owner: Annotated[str, typer.Option(help="Whose, with --all; otherwise yours. See: voicefactory jobs list.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON. Goes with --yes.")] = False,
) -> None:
    """Delete a voice with its recordings, runs and jobs, or everything of one owner. Work on it is stopped."""
    use_home(home)
    from voicefactory.cli import delete as deleting

    whose, projects = deleting.doomed(name, everything=everything, owner=owner, home=home)
    if not yes:
        deleting.confirm(deleting.question(whose, projects, everything=everything))
    gone = deleting.delete(whose, projects, everything=everything, home=home)
    typer.echo(json.dumps(gone, ensure_ascii=False) if as_json else "\n".join(gone["projects"]))


@app.command()
def gpus(as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """Show the NVIDIA cards, their memory and load."""
    from voicefactory import hardware

    cards, gib = hardware.gpus(), 1 << 30
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(card) for card in cards]))
        return
    for card in cards:
        free, total = card.free_bytes / gib, card.total_bytes / gib
        typer.echo(f"cuda:{card.index}  {card.name}  {free:.1f} of {total:.1f} GiB free  load {card.load_percent} %")
    if advice := hardware.advice():
        typer.echo(advice)


@app.command()
def doctor(
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Look whether this machine is fit to make voices, and say what to mend. Ends with 1 if something is broken."""
    use_home(home)
    from voicefactory.cli.doctor import is_sick, lines
    from voicefactory.doctor.examine import examine

    found = []
    for finding in examine():
        found.append(finding)
        if not as_json:
            typer.echo("\n".join(lines([finding])))
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(one) for one in found], ensure_ascii=False))
    if is_sick(found):
        raise typer.Exit(1)


@app.command()
def presets() -> None:
    """List the training presets."""
    from voicefactory.presets import load_preset, preset_files

    for name in preset_files():
        values = load_preset(name)
        typer.echo(f"{name:<12} {values.description}")


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 lets others in.  [default: 127.0.0.1]")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.  [default: 7860]", min=1, max=65535)] = None,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
) -> None:
    """Open the page."""
    use_home(home)
    from voicefactory.ui.app import serve as serve_page

    serve_page(host, port)
