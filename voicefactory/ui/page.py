"""How the tabs are wired: sections that show state, actions that change it, one function that refreshes.

A tab calls `show` for what it displays and `on` for what a person can do. `connect` then binds
everything. When the page is opened, once a second and after each action, a cheap check compares what
the browser shows with what there is; what differs is sent. So a reload or a second tab sees the same,
and an answer that got lost on the way is simply sent again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from voicefactory.errors import VoiceFactoryError
from voicefactory.jobs.scheduler import Scheduler
from voicefactory.jobs.store import Kind
from voicefactory.project import Project
from voicefactory.ui import access, message, text
from voicefactory.ui.account import NOBODY, account_of
from voicefactory.ui.projects import ProjectLine, project_lines
from voicefactory.ui.state import State, read

#: Not shown, but in the page: Gradio loses a component that becomes visible in a tab that is not open.
#: Columns and accordions do not know it, so what lies in them is hidden instead.
HIDDEN: Literal["hidden"] = "hidden"
#: Not through Gradio's queue: it forgets what was clicked in the moment in which a browser closes a stream (ADR 0008).
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


def shown(wanted: object) -> bool | Literal["hidden"]:
    """The `visible` of a component that is shown if `wanted` is true."""
    return True if wanted else HIDDEN


@dataclass(frozen=True)
class Section:
    """What is shown: `render(state)` gives a value or an update for each output.

    It runs only when `key(state)` (plain JSON) has changed, so that nothing a person is busy with flickers.
    """

    outputs: Sequence[Component]
    key: Callable[[State], Any]
    render: Callable[[State], Sequence[Any]]


@dataclass(frozen=True)
class Action:
    """What a person can do: `run(call, *values)` gives a value for each output."""

    event: Callable[..., Any]
    run: Callable[..., Any]
    inputs: Sequence[Component]
    outputs: Sequence[Block]
    settles: Section | None = None  #: shows the new state already: the person made it there
    shows: Sequence[Section] = ()  #: are sent with the answer, before `outputs`, instead of after the next look
    selects: bool = False  #: `run` is given the selected row as its last value
    repeats: bool = False  #: also counts while the last one is on its way: a quick hand presses Undo thrice
    changes: bool = True  #: False: it only shows something, and nothing else needs to be looked at after it


@dataclass(frozen=True)
class Call:
    """Who did something, and in which project. `project` has been checked to be theirs."""

    scheduler: Scheduler
    owner: str
    identifier: str
    request: gr.Request

    @functools.cached_property
    def project(self) -> Project:
        """Raises InputError if none is chosen or it is somebody else's."""
        return access.open_project(self.identifier, self.owner)

    def state(self) -> State:
        """The project as it is now."""
        store = self.scheduler.store
        account = account_of(self.owner, self.scheduler.home)
        return read(self.project, store, project_lines(self.owner, store), account)

    def cancel(self, kind: Kind) -> None:
        """Stop the project's job of that kind, if there is one that runs or waits."""
        job = self.state().active(kind)
        if job:
            self.scheduler.cancel(job.id)


class Group:
    """Sections that are refreshed together. Few change while a job runs, and those should cost little."""

    def __init__(self, name: str) -> None:
        self.sections: list[Section] = []
        #: Stamps of what the browser shows. They are kept there: only the browser knows what reached it.
        #: Empty, so that its placeholder shows, until the first of it has arrived: the style sheet asks that.
        self.seen = gr.Textbox(visible=HIDDEN, elem_id=f"seen-{name}", placeholder="-")
        self.due = gr.Textbox(visible=HIDDEN)  #: changes when something else should be shown

    @property
    def outputs(self) -> list[Component]:
        """`seen`, and everything that the sections show."""
        return [self.seen, *(output for section in self.sections for output in section.outputs)]

    def stamps(self, state: State) -> list[str]:
        """What the browser should say it shows."""
        identifier = state.project.identifier if state.project else ""
        keys = (json.dumps([identifier, section.key(state)], default=str) for section in self.sections)
        return [hashlib.sha256(key.encode()).hexdigest()[:16] for key in keys]

    def refreshed(self, state: State, seen: str) -> list[Any]:
        """A value for each of `outputs`; what the browser shows already is left alone."""
        shown, now = _stamps(seen), self.stamps(state)
        updates: list[Any] = []
        for number, section in enumerate(self.sections):
            if shown[number : number + 1] == [now[number]]:
                updates += [gr.skip()] * len(section.outputs)
            else:
                updates += section.render(state)
        return [json.dumps(now), *updates]

    def settled(self, sections: Sequence[Section], state: State, seen: str) -> str:
        """`seen`, with these sections as they should be."""
        shown, now = _stamps(seen), self.stamps(state)
        done = {self.sections.index(section) for section in sections}
        return json.dumps([now[number] if number in done else one for number, one in enumerate(shown)])


class Page:
    """What the tabs share while the page is built. Nothing of a visitor is kept in it."""

    def __init__(self, scheduler: Scheduler, current: gr.BrowserState) -> None:
        self.scheduler = scheduler
        self.current = current  #: the identifier of the project that this browser shows
        self.rest, self.live = Group("rest"), Group("live")
        self.message = message.build()
        self.actions: list[Action] = []

    def show(
        self,
        outputs: Sequence[Component],
        key: Callable[[State], Any],
        render: Callable[[State], Sequence[Any]],
        *,
        live: bool = False,
    ) -> Section:
        """Declare a section. `live` ones change all the time while a job runs."""
        section = Section(outputs, key, render)
        (self.live if live else self.rest).sections.append(section)
        return section

    def once(self, component: Component, update: Callable[[], Any]) -> None:
        """Declare what is sent when the page is opened, because a mark would not be replaced there: choices, HTML."""
        self.show([component], lambda state: "", lambda state: [update()])

    def on(
        self,
        event: Callable[..., Any],
        run: Callable[..., Any],
        inputs: Sequence[Component] = (),
        outputs: Sequence[Block] = (),
        *,
        settles: Section | None = None,
        shows: Sequence[Section] = (),
        selects: bool = False,
        repeats: bool = False,
        changes: bool = True,
    ) -> None:
        """Declare an action."""
        self.actions.append(Action(event, run, inputs, outputs, settles, shows, selects, repeats, changes))

    def connect(self) -> None:
        """Bind every action. Call once, when all tabs are built."""
        for group in (self.rest, self.live):
            refresh = self._refreshing(group)
            group.due.change(refresh, [self.current, group.seen], group.outputs, **QUIET)
        for action in self.actions:
            inputs = [self.current, self.rest.seen, *action.inputs]
            more = {"trigger_mode": "multiple"} if action.repeats else {}
            done = action.event(self._guarded(action), inputs, self._outputs(action), **QUIET, **more)
            if action.changes:
                self.check_on(done.then)

    def check_on(self, event: Callable[..., Any]) -> None:
        """Look for what should be shown anew, whenever `event` happens."""
        groups = [self.rest, self.live]
        inputs = [self.current, *(group.seen for group in groups)]
        event(self._check, inputs, [group.due for group in groups], **QUIET)

    @property
    def outputs(self) -> list[Component]:
        """Everything that any section shows."""
        return [*self.rest.outputs, *self.live.outputs]

    def everything(self, identifier: str, request: gr.Request) -> list[Any]:
        """A value for each of `outputs`, for a browser that shows nothing yet."""
        state = self._state(identifier, request)
        return [*self.rest.refreshed(state, ""), *self.live.refreshed(state, "")]

    def _check(self, identifier: str, rest: str, live: str, request: gr.Request) -> list[Any]:
        state = self._state(identifier, request)
        seen = ((self.rest, rest), (self.live, live))
        return [gr.skip() if _stamps(one) == group.stamps(state) else secrets.token_hex(4) for group, one in seen]

    def _refreshing(self, group: Group) -> Callable[..., Any]:
        def refresh(identifier: str, seen: str, request: gr.Request) -> list[Any]:
            return group.refreshed(self._state(identifier, request), seen)

        return refresh

    def _state(self, identifier: str, request: gr.Request) -> State:
        """What the visitor may see."""
        text.speak(text.language_of(request.headers))
        project: Project | None = None
        projects: tuple[ProjectLine, ...] = ()
        account = NOBODY
        with contextlib.suppress(VoiceFactoryError):  # not logged in, deleted, or somebody else's: shown as none
            owner = access.owner_of(request)
            projects = project_lines(owner, self.scheduler.store)
            account = account_of(owner, self.scheduler.home)
            project = access.open_project(identifier, owner) if identifier else None
        return read(project, self.scheduler.store, projects, account)

    def _guarded(self, action: Action) -> Callable[..., Any]:
        """The action with its caller checked, and with errors turned into messages."""

        def run(request: gr.Request, identifier: str, seen: str, *values: Any) -> list[Any]:
            text.speak(text.language_of(request.headers))
            try:
                call = Call(self.scheduler, access.owner_of(request), str(identifier or ""), request)
                result = action.run(call, *values)
                return ["", *self._sent(action, call, seen), *_values(result, len(action.outputs))]
            except Exception as error:  # noqa: BLE001 - the page must go on, and a person must be told
                return [message.message_html(error), *[gr.skip()] * (len(self._outputs(action)) - 1)]

        def select(request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
            return run(request, *values, event.row_value)

        return select if action.selects else run

    def _outputs(self, action: Action) -> list[Block]:
        """The message, what the browser shows now, and what `action` itself gives."""
        sent = [output for section in action.shows for output in section.outputs]
        return [self.message, *([self.rest.seen] if action.settles or sent else []), *sent, *action.outputs]

    def _sent(self, action: Action, call: Call, seen: str) -> list[Any]:
        """What `settles` and `shows` show now, after the stamps of it."""
        if not action.settles and not action.shows:
            return []
        state = call.state()
        sent: list[Any] = []
        for section in action.shows:
            sent += section.render(state)
        settled = [*action.shows, *([action.settles] if action.settles else [])]
        return [self.rest.settled(settled, state, seen), *sent]


def _values(result: Any, number: int) -> Sequence[Any]:
    """What an action gave, as one value for each of its outputs."""
    if number > 1 and isinstance(result, (list, tuple)):
        return result
    return [result] * number


def _stamps(seen: str) -> list[str]:
    """What a browser says it shows. Nonsense only makes it be sent everything again."""
    try:
        stamps = json.loads(seen or "[]")
    except ValueError:
        return []
    return stamps if isinstance(stamps, list) else []
