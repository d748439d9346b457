"""Who is next, and on which device: fair between owners, and never beyond a card's memory."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest

from voicefactory.jobs.lanes import LANES, WIDTH
from voicefactory.jobs.placement import GIB, Device, decide, in_turn
from voicefactory.jobs.queue import place_of, served
from voicefactory.jobs.store import Job, Kind, Store

CPU = Device("cpu", "this computer", 32 * GIB, 16 * GIB)


def card(index: int, total: float, free: float | None = None, **taken: int) -> Device:
    free = total if free is None else free
    return Device(f"cuda:{index}", f"Card {index}", round(total * GIB), round(free * GIB), taken)


class Rows:
    """Rows of a job table, made in the order in which they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "jobs.db")
        self.made = 0

    def add(self, owner: str, kind: Kind = "train", gib: float | None = None, **values: Any) -> Job:
        self.made += 1
        project = values.pop("project", f"{owner}-{self.made}")
        job = self.store.add(kind, owner, project, values.pop("request", {}))
        needed = None if gib is None else round(gib * GIB)
        return dataclasses.replace(job, created=float(self.made), needed_bytes=needed, **values)

    def running(self, owner: str, device: str = "cpu", kind: Kind = "train", gib: float | None = None, **v: Any) -> Job:
        return dataclasses.replace(self.add(owner, kind, gib, **v), state="running", device=device, started=0.0)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path)


def starts(*args: Any, **values: Any) -> list[tuple[str, str]]:
    found = decide(*args, **{"served": {}, "now": 1000.0, **values}).starts
    return [(start.job.owner, start.device) for start in found]


def test_nobodys_second_job_runs_before_anothers_first(rows: Rows) -> None:
    asked = ["anna", "anna", "anna", "ben", "carl", "ben"]
    jobs = [rows.add(owner) for owner in asked]
    order = [(job.owner, jobs.index(job)) for job in in_turn(jobs, {})]
    assert order == [("anna", 0), ("ben", 3), ("carl", 4), ("anna", 1), ("ben", 5), ("anna", 2)]


def test_who_was_served_today_lets_others_go_first(rows: Rows) -> None:
    second, first = rows.add("anna"), rows.add("ben")
    started = served({("anna", "train"): 1})
    assert [job.owner for job in in_turn([second, first], started)] == ["ben", "anna"]
    hearing = rows.add("anna", "synthesize")  # in another lane she was not
    assert in_turn([hearing, rows.add("ben", "synthesize")], started)[0] == hearing


def test_the_table_knows_who_was_served(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.db")
    for owner, kind in (("anna", "train"), ("anna", "judge"), ("ben", "synthesize")):
        store.move(store.add(kind, owner, owner, {}).id, "running")  # type: ignore[arg-type]
    store.add("train", "carl", "carl", {})
    found = served(store.started_since(0.0))
    assert found == {("anna", "train"): 2, ("ben", "preview"): 1}
    assert served(store.started_since(2e10)) == {}


def test_hearing_does_not_wait_behind_training_unless_memory_says_so(rows: Rows) -> None:
    training = rows.running("anna", "cuda:0", gib=20)
    hearing = rows.add("ben", "synthesize", gib=3)
    assert starts([hearing], [training], [card(0, 24)]) == [("ben", "cuda:0")]
    found = decide([hearing], [training], [card(0, 22)], served={}, now=1000.0)
    assert found.starts == ()
    assert "3.0 GiB of memory are needed, and Card 0 has 2.0 GiB to give" in found.waits[hearing.id]


def test_a_lane_takes_one_job_on_each_device(rows: Rows) -> None:
    waiting = [rows.add(owner, gib=4) for owner in ("anna", "ben", "carl")]
    assert starts(waiting, [], [card(0, 24), card(1, 48)]) == [("anna", "cuda:1"), ("ben", "cuda:0")]
    assert starts(waiting, [rows.running("dora")], [CPU]) == []


def test_jobs_of_one_project_go_one_after_the_other(rows: Rows) -> None:
    prepare = rows.add("anna", "prepare", project="voice")
    train = rows.add("anna", "train", project="voice")
    other = rows.add("anna", "train", project="other")
    assert {start.job.id for start in decide([train, prepare, other], [], [CPU], served={}).starts} == {
        prepare.id,
        other.id,
    }
    begun = dataclasses.replace(prepare, state="running", device="cpu", started=1.0)
    assert decide([train], [begun], [CPU], served={}).starts == ()


def test_an_owner_has_so_many_heavy_jobs_at_a_time(rows: Rows) -> None:
    waiting = [rows.add("anna", kind) for kind in ("train", "prepare", "synthesize")]  # type: ignore[arg-type]
    found = decide(waiting, [], [CPU], served={}, max_running=1)
    assert [start.job.kind for start in found.starts] == ["train", "synthesize"]
    assert found.waits[waiting[1].id].startswith("You may have 1 running at a time")


def test_preparing_does_without_a_card_that_is_full(rows: Rows) -> None:
    training = rows.running("anna", "cuda:0", gib=22)
    assert starts([rows.add("ben", "prepare", gib=3)], [training], [card(0, 24)]) == [("ben", "cpu")]


def test_what_was_promised_is_not_given_again(rows: Rows) -> None:
    """The card still shows everything free: the first job has not taken its memory yet."""
    first = rows.running("anna", "cuda:0", kind="synthesize", gib=10)
    assert starts([rows.add("ben", gib=16)], [first], [card(0, 24)]) == []
    taken = card(0, 24, 14, **{first.id: 10 * GIB})  # now it has, and the card knows whose it is
    assert starts([rows.add("ben", gib=14)], [first], [taken]) == [("ben", "cuda:0")]


def test_small_ones_do_not_keep_a_large_one_waiting_for_ever(rows: Rows) -> None:
    ours = rows.running("anna", "cuda:0", kind="synthesize", gib=10)
    large, small = rows.add("ben", gib=20), rows.add("carl", gib=2)
    assert starts([large, small], [ours], [card(0, 24, 14, **{ours.id: 10 * GIB})]) == []
    theirs = card(0, 24, 14)  # another program's 10 GiB may never come back
    assert starts([large, small], [], [theirs]) == [("carl", "cuda:0")]


def test_what_fits_no_card_gets_an_empty_one_and_says_so_itself(rows: Rows) -> None:
    huge = rows.add("anna", gib=100)
    assert starts([huge], [rows.running("ben", "cuda:0", kind="read")], [card(0, 24)]) == []
    assert starts([huge], [], [card(0, 24)]) == [("anna", "cuda:0")]


def test_a_wish_for_a_card_is_kept(rows: Rows) -> None:
    job = rows.add("anna", gib=4, request={"device": "cuda:0"})
    assert starts([job], [], [card(0, 24), card(1, 48)]) == [("anna", "cuda:0")]


@pytest.mark.parametrize("seed", range(30))
def test_promises_never_exceed_a_card_whatever_comes_and_goes(rows: Rows, seed: int) -> None:
    """A thousand random events: jobs come, are placed, take their memory sooner or later, and end."""
    draw = random.Random(seed)
    sizes = [draw.choice([8, 12, 24, 48]) for _ in range(draw.randint(1, 3))]
    others = [draw.uniform(0, size / 3) for size in sizes]
    waiting: list[Job] = []
    running: list[Job] = []
    taken: dict[str, int] = {}
    kinds: list[Kind] = ["train", "synthesize", "prepare", "judge", "preview", "read"]
    template = rows.add("anna")
    for event in range(1000):
        if draw.random() < 0.3:
            needed = round(draw.uniform(0.5, 26) * GIB)
            owner = draw.choice("abcde")
            waiting.append(
                dataclasses.replace(
                    template,
                    id=f"job-{event}",
                    kind=draw.choice(kinds),
                    owner=owner,
                    project=f"{owner}{draw.randint(0, 2)}",
                    needed_bytes=needed,
                    created=float(event),
                )
            )
        if running and draw.random() < 0.4:
            ended = running.pop(draw.randrange(len(running)))
            taken.pop(ended.id, None)
        for job in running:
            if draw.random() < 0.3:
                taken[job.id] = job.needed_bytes or 0
        devices = []
        for index, (size, foreign) in enumerate(zip(sizes, others, strict=True)):
            mine = {job.id: taken.get(job.id, 0) for job in running if job.device == f"cuda:{index}"}
            devices.append(
                Device(f"cuda:{index}", "", size * GIB, round((size - foreign) * GIB) - sum(mine.values()), mine)
            )
        for start in decide(waiting, running, devices, served={}, now=float(event)).starts:
            waiting = [job for job in waiting if job.id != start.job.id]
            running.append(dataclasses.replace(start.job, state="running", device=start.device, started=float(event)))
        for device in devices:
            here = [job for job in running if job.device == device.name]
            promised = sum(job.needed_bytes or 0 for job in here)
            assert promised <= device.total_bytes or len(here) == 1
        for lane in set(LANES.values()):
            for name in {job.device for job in running}:
                assert sum(LANES[job.kind] == lane and job.device == name for job in running) <= WIDTH[lane]


def test_place_and_expected_start(rows: Rows) -> None:
    training = dataclasses.replace(rows.running("anna"), started=900.0)
    first, second, third = (rows.add(owner) for owner in ("ben", "carl", "ben"))
    active = [training, first, second, third]
    usual: dict[Kind, float] = {"train": 600.0}
    places = [place_of(job, active, {}, usual, 1, now=1000.0) for job in (first, second, third)]
    assert [(place.ahead, place.seconds) for place in places] == [(0, 500.0), (1, 1100.0), (2, 1700.0)]
    told = dataclasses.replace(training, eta_low=100.0, eta_high=200.0)
    assert place_of(first, [told, first], {}, usual, 1, now=1000.0).seconds == 150.0
    assert place_of(first, active, {}, {}, 1, now=1000.0).seconds is None  # nobody has trained here yet
    assert place_of(first, [first], {}, usual, 1, now=1000.0) == place_of(
        first, [training, first], {}, usual, 2, 1000.0
    )
    late = dataclasses.replace(training, started=0.0)
    assert place_of(first, [late, first], {}, usual, 1, now=1000.0).seconds is None  # longer than usual already
