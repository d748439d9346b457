"""The `voicefactory` command: the pipeline for scripts and for people who like a terminal.

A contract that others script against: progress goes to stderr, results to stdout; exit code 0 means done,
2 that the caller's input is at fault, 1 anything else, 130 Ctrl-C. Heavy packages are imported by the
commands that need them, so that the others answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from voicefactory import __version__
from voicefactory.cli import create, data, jobs, machine, voices
from voicefactory.cli.ending import report

app = typer.Typer(
    help="From recordings to a voice: transcribe, fine-tune Qwen3-TTS, listen, share.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _commands in (create, data, voices, machine):
    app.add_typer(_commands.app)
app.add_typer(jobs.app, name="jobs")


def main() -> None:
    """Entry point of the `voicefactory` command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        code = app(args=list(arguments), prog_name="voicefactory", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - whatever it was, it becomes one sentence and an exit code
        return report(error, as_json="--json" in arguments)
    return code if isinstance(code, int) else 0


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"voicefactory {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None: ...
