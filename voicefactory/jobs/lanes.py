"""Which jobs run beside each other: the lane of each kind, and what a kind needs for itself alone."""

from __future__ import annotations

from typing import Literal

from voicefactory.jobs.store import Kind

Lane = Literal["train", "data", "preview", "listen", "files"]

#: `train` takes long and most of a device; `data` is heavy, too, but can do without a card; somebody waits for what is
#: in `preview` and `listen`; `files` computes nothing.
LANES: dict[Kind, Lane] = {
    "ingest": "data",
    "transcribe": "data",
    "prepare": "data",
    "clean": "data",
    "opinion": "data",
    "freeze": "data",
    "train": "train",
    "judge": "train",
    "zero-shot": "train",
    "synthesize": "preview",
    "preview": "preview",
    "read": "listen",
    "package": "files",
    "publish": "files",
    "export": "files",
    "sizes": "files",
}

#: Jobs of a lane that may run at a time, on each device; those of `files` on the machine.
WIDTH: dict[Lane, int] = {"train": 1, "data": 1, "preview": 1, "listen": 1, "files": 4}

#: Lanes that a card is no use for, or that do as well without.
ON_CPU_TOO: frozenset[Lane] = frozenset({"data", "listen"})

#: They write what is in the project, one after the other (`Project.alone`).
HOLDS_PROJECT: frozenset[Kind] = frozenset(
    {"ingest", "transcribe", "prepare", "clean", "opinion", "freeze", "train", "judge", "zero-shot", "package"}
)

#: Heavy ones, of which an owner may have so many at a time as the settings say.
COUNTED: frozenset[Lane] = frozenset({"train", "data"})

#: A person waits for these one after the other, so a worker stays for the next one with its model loaded: so many
#: seconds after the last one. A large model takes longer to load, and people listen before they ask again.
LINGERING: dict[Kind, float] = {"read": 60.0, "synthesize": 300.0}

#: These need the memory that a worker which stays holds, so it ends for them.
NEEDS_MEMORY: frozenset[Kind] = frozenset({"train", "judge", "preview", "zero-shot"})
