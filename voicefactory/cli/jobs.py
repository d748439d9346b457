"""`voicefactory jobs`: the job table for the person at the machine, beside a running app or without one.

The table is shared: what is asked for here, the app and its workers find there.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from voicefactory.cli.ending import say_aside

app = typer.Typer(help="Show, cancel, resume and clean up jobs.", no_args_is_help=True)

Home = Annotated[Path | None, typer.Option(help="Where projects are kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON.")]
Identifier = Annotated[str, typer.Argument(help="The job's id, or an end of it that no other has.", metavar="ID")]

NOT_YET = "asked to stop, and has not yet"
NO_APP = "No app runs on {home}: the job waits until one is started (voicefactory serve)."


@app.command("list")
def list_jobs(
    states: Annotated[
        list[str] | None, typer.Option("--state", help="queued, running, succeeded, failed, ... Repeatable.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="train, prepare, synthesize, ... Repeatable.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Only this owner's.")] = "",
    project: Annotated[str, typer.Option(help="Only of this project (its folder's name).")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also those that ended more than a day ago.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List what runs and waits, and what ended within a day."""
    from voicefactory.cli import jobs_found as found

    store = found.store_of(home)
    jobs = found.select(store, states or [], kinds or [], owner=owner, project=project, everything=everything)
    if as_json:
        _print_json([dataclasses.asdict(job) for job in jobs])
    else:
        typer.echo("\n".join(found.table(jobs)))


@app.command()
def show(identifier: Identifier, home: Home = None, as_json: AsJson = False) -> None:
    """Show all about one job, and the end of its log."""
    from voicefactory.cli import jobs_found as found

    store = found.store_of(home)
    job = found.one(store, identifier)
    log = found.log_of(store, job)
    if as_json:
        _print_json({**dataclasses.asdict(job), "log": str(log)})
    else:
        typer.echo("\n".join(found.details(job, log)))


@app.command()
def cancel(
    identifiers: Annotated[list[str], typer.Argument(help="Ids of jobs, or ends of them.", metavar="ID...")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Stop jobs that run or wait. What they have finished is kept."""
    from voicefactory.cli import jobs_found as found
    from voicefactory.jobs.stopping import cancel_and_wait

    store = found.store_of(home)
    asked = [found.active(store, identifier) for identifier in identifiers]
    for job in asked:
        store.request_cancel(job.id)
    ended = [cancel_and_wait(store, job.id) for job in asked]
    if as_json:
        _print_json([{"id": job.id, "state": job.state} for job in ended])
    else:
        typer.echo("\n".join(f"{job.id}  {NOT_YET if job.active else job.state}" for job in ended))
    if any(job.active for job in ended):
        raise typer.Exit(1)


@app.command()
def resume(identifier: Identifier, home: Home = None, as_json: AsJson = False) -> None:
    """Queue the same work again: it goes on where it was."""
    from voicefactory.cli import jobs_found as found
    from voicefactory.jobs.presence import app_runs
    from voicefactory.jobs.scheduler import Scheduler

    store = found.store_of(home)
    folder = store.path.parent
    job = Scheduler(folder).resume(found.one(store, identifier).id)
    runs = app_runs(folder)
    if as_json:
        _print_json({"id": job.id, "state": job.state, "app_runs": runs})
    else:
        typer.echo(f"{job.id}  {job.state}")
    if not runs:
        say_aside(NO_APP.format(home=folder))


@app.command()
def clean(
    days: Annotated[float, typer.Option(help="Remove jobs that ended so many days ago.", min=0)] = 30,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Remove finished jobs with their logs, half-written files and the page's old cache. Voices stay."""
    from voicefactory.cli import jobs_found as found
    from voicefactory.jobs.upkeep import clean as clean_up

    freed = clean_up(found.store_of(home).path.parent, older_than_days=days)
    if as_json:
        _print_json(dataclasses.asdict(freed))
        return
    typer.echo(
        f"Removed {freed.jobs} jobs and {freed.logs} logs, {freed.leftovers} half-written files, {freed.cache} files "
        f"of the page's cache: {freed.bytes / 1e6:.1f} MB."
    )


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
