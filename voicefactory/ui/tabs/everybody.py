"""For whoever runs the page: everybody's jobs, without what they are about. Nobody else is sent anything of it.

It is asked for by opening it, and not kept up to date: looking costs more than a visitor's page does.
"""

from __future__ import annotations

import html
import time
from typing import Any

import gradio as gr

from voicefactory.errors import InputError
from voicefactory.jobs.store import Job, Store
from voicefactory.ui import text, views
from voicefactory.ui.account import is_admin
from voicefactory.ui.page import HIDDEN, Call, Page, shown
from voicefactory.ui.told import told

_ENDED = 100  #: jobs that have ended, the last ones
_GIB = 1 << 30

#: Opening it asks for the list; the buttons in it say what they are for.
_ASK = """
element.addEventListener('toggle', (event) => {
  if (event.target.open && !event.target.querySelector('.listed')) { trigger('select', {row_value: ['list']}); }
}, true);
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) { trigger('select', {row_value: button.dataset.job ? ['cancel', button.dataset.job] : ['list']}); }
});
"""


def build(page: Page) -> None:
    """One component, closed until an admin opens it."""
    panel = gr.HTML(visible=HIDDEN, elem_id="everybody", js_on_load=_ASK)
    page.on(panel.select, look, [], [panel], selects=True, changes=False)
    page.show([panel], lambda state: state.account.admin, lambda state: [_closed(state.account.admin)])


def look(call: Call, asked: list[Any]) -> str:
    """List the jobs, after cancelling one of them if that is wanted. Raises InputError for everybody but an admin."""
    if not is_admin(call.owner):
        raise InputError(text.EVERYBODY_ONLY)
    if len(asked) > 1 and asked[0] == "cancel" and call.scheduler.store.find(str(asked[1])):
        call.scheduler.cancel(str(asked[1]))
    return jobs_html(call.scheduler.store, time.time())


def jobs_html(store: Store, now: float) -> str:
    """What waits and runs, and what ended last, the newest first: no name, text, file or sentence of an error."""
    ended = [job for job in store.jobs() if not job.active][-_ENDED:]
    jobs = [*reversed(store.active()), *reversed(ended)]
    head = "".join(f"<th>{html.escape(column)}</th>" for column in text.EVERYBODY_COLUMNS)
    rows = "".join(_row_html(job, now) for job in jobs)
    table = f"<table><thead><tr>{head}<th>{html.escape(text.CANCEL)}</th></tr></thead><tbody>{rows}</tbody></table>"
    listed = f'<div class="rows" tabindex="0">{table}</div>' if jobs else f"<p>{html.escape(text.EVERYBODY_NONE)}</p>"
    again = f"<button>{html.escape(text.EVERYBODY_LOOK)}</button>"
    return f'<details open>{_summary_html()}<div class="listed">{again}{listed}</div></details>'


def _row_html(job: Job, now: float) -> str:
    waited = max(0.0, (job.started or job.ended or now) - job.created)
    ran = max(0.0, (job.ended or now) - job.started) if job.started else None
    cells = [
        job.id,
        text.JOB_KINDS[job.kind],
        whose(job.owner),
        text.JOB_STATES[job.state],
        job.device,
        "" if job.needed_bytes is None else f"{text.figure(job.needed_bytes / _GIB, '.1f')} GiB",
        views.length(waited),
        "" if ran is None else views.length(ran),
        told(job.waits) if job.state == "queued" else job.error_kind,
    ]
    may_stop = job.active and job.cancel_requested is None
    stop = f'<button data-job="{html.escape(job.id, quote=True)}">{html.escape(text.CANCEL)}</button>'
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}<td>{stop if may_stop else ''}</td></tr>"


def whose(owner: str) -> str:
    """An owner as an admin sees them: the account's name, or the beginning of the digest that stands for a browser."""
    kind, _, name = owner.partition(":")
    return name if kind == "hf" and name else owner[:10]


def _summary_html() -> str:
    return f"<summary>{html.escape(text.EVERYBODY)}</summary>"


def _closed(admin: bool) -> Any:
    return gr.update(value=f"<details>{_summary_html()}</details>" if admin else "", visible=shown(admin))
