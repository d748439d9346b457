"""From state to what is shown: text, rows and plot values. Pure functions, no disk."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from voicefactory.hardware import CPU
from voicefactory.jobs.queue import Place
from voicefactory.jobs.store import Job
from voicefactory.languages import WHISPER_CODES
from voicefactory.pipeline.plan import RunPlan
from voicefactory.presets import Preset
from voicefactory.types import Clip, Recording, Reference, Refused, Transcript
from voicefactory.ui import english, text
from voicefactory.ui.told import told

GIB = 1024**3
_LISTED = 2_000  #: rows of a list that a page gets


def length(seconds: float) -> str:
    """A length in words: 0.8 s, 12 s, 3 min 5 s, 1 h 20 min."""
    if seconds < 9.95:
        return text.SECONDS.format(seconds=text.figure(seconds, ".1f"))
    whole = round(seconds)
    if whole < 60:
        return text.SECONDS.format(seconds=whole)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return (text.MINUTES_SECONDS if rest else text.MINUTES).format(minutes=minutes, seconds=rest)
    hours, minutes = divmod(round(seconds / 60), 60)
    return (text.HOURS_MINUTES if minutes else text.HOURS).format(hours=hours, minutes=minutes)


def _coarse(seconds: float) -> str:
    """A length as a guess is told: whole minutes from two minutes on, steps of 5 s below."""
    if seconds >= 120:
        return length(60 * math.ceil(seconds / 60))
    whole = 5 * math.ceil(max(seconds, 1) / 5)
    return text.SECONDS.format(seconds=whole) if whole < 60 else length(whole)


def time_left(job: Job) -> str:
    """The time left of the current step as a range, or nothing while nobody knows."""
    if job.eta_low is None or job.eta_high is None:
        return ""
    low, high = _coarse(job.eta_low), _coarse(job.eta_high)
    if low == high:
        return text.LEFT.format(time=high)
    return text.LEFT_BETWEEN.format(low=_without_unit(low, high), high=high)


def _without_unit(low: str, high: str) -> str:
    """The lower end of a range: its unit is left out where the upper end has the same."""
    unit = f" {high.split()[-1]}"
    return low.removesuffix(unit) if len(low.split()) == len(high.split()) == 2 and low.endswith(unit) else low


def job_line(job: Job, places: Mapping[str, Place] | None = None) -> str:
    """One line of plain text on a job. `places`: where waiting ones stand, by id."""
    if job.state == "queued":
        return _waiting_line(job, (places or {}).get(job.id, Place(0, None)))
    if job.state == "running":
        if job.cancel_requested is not None:
            return text.CANCELLING
        parts = [text.JOB_STEPS.get(job.step, text.STARTING)]
        if job.total > 1:
            parts.append(text.PROGRESS.format(done=f"{job.done:.0f}", total=f"{job.total:.0f}"))
        left = time_left(job) if job.done < job.total else ""
        return f"{': '.join(parts)}{', ' + left if left else ''}"
    return told(job.error) or text.ENDED.get(job.state, "")


def _waiting_line(job: Job, place: Place) -> str:
    """Why it waits, or who is before it and when it will probably start."""
    if job.waits:
        return told(job.waits)
    if not place.ahead and not place.seconds:
        return text.QUEUED_NEXT
    line = text.QUEUED.format(ahead=place.ahead) if place.ahead else text.QUEUED_FIRST
    return line if not place.seconds else f"{line} {text.QUEUED_START.format(time=_coarse(place.seconds))}"


def job_html(job: Job | None, places: Mapping[str, Place] | None = None) -> str:
    """A job as a line and a bar. Everything that came from outside is escaped."""
    if job is None:
        return ""
    bad = " bad" if job.state in ("failed", "interrupted") else ""
    line = f'<p class="state{bad}">{html.escape(job_line(job, places))}</p>'
    if not job.active:
        return line
    if job.state == "running" and job.total > 0:
        share = 100 * min(job.done / job.total, 1)
        return f'{line}<div class="bar"><span style="width:{share:.1f}%"></span></div>'
    return f'{line}<div class="bar unknown"><span></span></div>'


def task_html(job: Job | None, cancelled: str, places: Mapping[str, Place] | None = None) -> str:
    """A job whose result is shown elsewhere: how far it is, `cancelled` when it was, and nothing once it is done."""
    if job is None or job.state == "succeeded":
        return ""
    return note_html(cancelled) if job.state == "cancelled" else job_html(job, places)


def note_html(line: str) -> str:
    """A plain remark, escaped."""
    return f'<p class="state">{html.escape(line)}</p>'


def table_html(rows: Sequence[Sequence[str]]) -> str:
    """Rows of plain text as a small table, escaped."""
    cells = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>" if rows else ""


def list_html(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, pick: bool = False) -> str:
    """Rows of plain text under their columns, escaped; nothing without rows. With `pick`, a row can be picked: its
    last cell is what it is known by, and is not shown."""
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(_row_html(row[:-1], row[-1]) if pick else _row_html(row, "") for row in rows[:_LISTED])
    more = f"<p>{text.MORE_ROWS.format(more=f'{len(rows) - _LISTED:,}')}</p>" if len(rows) > _LISTED else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<p class="state quiet">{html.escape(title)}</p><div class="rows" tabindex="0">{table}{more}</div>'


def _row_html(cells: Sequence[str], known_by: str) -> str:
    first, *rest = map(html.escape, cells)
    known = html.escape(known_by, quote=True)
    begin = f'<tr data-row="{known}"><td><button>{first}</button></td>' if known else f"<tr><td>{first}</td>"
    return f"{begin}{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>"


def headline(job: Job | None, places: Mapping[str, Place] | None = None) -> str:
    """What runs now, for the line at the top of every step."""
    if job is None:
        return ""
    kind = text.JOB_KINDS[job.kind]
    line = job_line(job, places)
    return line if line.startswith(kind) else f"{kind}. {line}"


def recording_rows(recordings: Iterable[Recording], read: Mapping[str, str]) -> list[list[str]]:
    """File, length, remarks, id; by name. `read` are the sentences that were read aloud, by recording id."""
    by_name = sorted(recordings, key=lambda row: row.file.casefold())
    remarks = {row.id: " ".join([*_aloud(row, read), *map(told, row.notes)]) for row in by_name}
    return [[row.file, length(row.seconds), remarks[row.id], row.id] for row in by_name]


def _aloud(recording: Recording, read: Mapping[str, str]) -> list[str]:
    return [text.READ_ALOUD.format(line=shortened(read[recording.id], 40))] if recording.id in read else []


def shortened(line: str, letters: int) -> str:
    """At most so many letters of a text."""
    return line if len(line) <= letters else f"{line[: letters - 1].rstrip()}…"


def recordings_line(recordings: Sequence[Recording], clips: Sequence[Clip], refused: Sequence[Refused] = ()) -> str:
    """How much there is, and whether that is enough."""
    if not recordings:
        return text.NONE_USABLE if refused else text.NO_RECORDINGS
    speech = sum(clip.seconds for clip in clips)
    line = (text.RECORDINGS_CUT if clips else text.RECORDINGS_LINE).format(
        recordings=count(len(recordings), "recording"),
        length=length(sum(row.seconds for row in recordings)),
        clips=count(len(clips), "clip"),
        speech=length(speech),
    )
    return f"{line} {text.RECORDINGS_FEW}" if clips and speech < 60 else line


def refused_rows(refused: Iterable[Refused]) -> list[list[str]]:
    """File, reason."""
    return [[row.file, told(row.reason)] for row in refused]


def transcripts_line(transcripts: Sequence[Transcript], open_rows: int) -> str:
    """How many clips will be used, and how many of them a person should look at."""
    used = [row for row in transcripts if not row.dropped and row.text.strip()]
    line = text.WILL_BE_USED.format(used=len(used), clips=count(len(transcripts), "clip"))
    if open_rows:
        return f"{line} {text.ONE_NEEDS_A_LOOK if open_rows == 1 else text.NEED_A_LOOK.format(clips=open_rows)}"
    return line


def time_range(low: float | None, high: float | None, times: float = 1.0) -> str:
    """A guess of a time in words, both ends multiplied by `times`; nothing if nobody knows."""
    if low is None or high is None:
        return ""
    first, last = _coarse(low * times), _coarse(high * times)
    return first if first == last else text.BETWEEN.format(low=first, high=last)


def candidate_html(name: str, reference: Reference, player: str) -> str:
    """A candidate for the reference: to hear, its text, and why it is one."""
    line = html.escape(reference_line(reference))
    return f'{player_with_name(name, player)}<p>{html.escape(reference.text)}</p><p class="quiet">{line}</p>'


def player_with_name(name: str, player: str) -> str:
    """A player, which is HTML already, under its name."""
    return f"<p><b>{html.escape(name)}</b></p>{player}"


def reference_line(reference: Reference) -> str:
    """Why a candidate is one."""
    return f"{', '.join(map(told, reference.reasons))}."


def plan_text(found: RunPlan | None) -> str:
    """What training needs, as Markdown; what comes from outside is escaped."""
    if found is None:
        return text.PLAN_UNKNOWN
    sentences = [_fit(found)]
    if found.best.fits and found.best.seconds:
        low, high = found.best.seconds
        sentences.append(text.PLAN_TIME.format(low=_coarse(low), high=_coarse(high)))
    preset, plan = found.plan.preset, found.plan
    numbers = [
        text.AUTO_RATE.format(rate=preset.learning_rate),
        text.AUTO_BATCH.format(clips=count(preset.batch_size, "clip")),
        count(preset.epochs, "epoch"),
        text.AUTO_STEPS.format(steps=count(plan.steps, "step"), warmup=preset.warmup_steps or text.AUTO_NO_WARMUP),
        text.AUTO_CLIPS.format(clips=count(plan.training_clips, "clip"), kept=plan.held_out_clips),
    ]
    if preset.max_steps:
        del numbers[2]  # steps were asked for, so epochs count nothing
    return f"{' '.join(sentences)}\n\n{text.PLAN_AUTO.format(numbers='; '.join(numbers))}"


def _fit(found: RunPlan) -> str:
    best, needed = found.best, gib(found.plan.peak_bytes)
    cpu = best.device == CPU
    if cpu and found.plan.preset.adapter == "qlora":
        first = text.PLAN_NOT_QLORA
    elif cpu:
        first = text.PLAN_FITS_CPU if best.fits else text.PLAN_NOT_CPU
    else:
        first = text.PLAN_FITS if best.fits else text.PLAN_NOT
    line = first.format(needed=needed, device=_plain(best.name), free=gib(best.free_bytes))
    if best.fits:
        return line
    if found.nearest is None:
        return f"{line} {text.PLAN_NONE}"
    nearest = text.PLAN_NEAREST.format(preset=preset_title(found.nearest), needed=gib(found.nearest_bytes))
    return f"{line} {nearest}"


def gib(size: float) -> str:
    """Bytes in words."""
    return f"{text.figure(size / GIB, '.1f')} GiB" if size >= 0.95 * GIB else f"{size / (1 << 20):.0f} MiB"


def preset_title(name: str) -> str:
    """A preset's name as it is shown; people may have presets of their own."""
    return text.PRESETS[name][0] if name in text.PRESETS else name.replace("-", " ").capitalize()


def preset_about(preset: Preset) -> str:
    """A preset's description in the reader's words, if it is one of ours and says what ours says."""
    ours = english.PRESETS.get(preset.name, ("", ""))[1] == preset.description
    return text.PRESETS[preset.name][1] if ours else preset.description


def _plain(name: str) -> str:
    """A card's name without its maker, and without anything that Markdown takes for its own."""
    return html.escape(re.sub(r"[*_`\[\]<>]", "", name.removeprefix("NVIDIA ").removeprefix("GeForce ")))


def count(number: int, noun: str) -> str:
    """So many of them: `noun` is a key of text.COUNTS."""
    one, many = text.COUNTS[noun]
    return one if number == 1 else many.format(number=number)


def language_choices() -> list[tuple[str, str]]:
    """(shown, value) of every language that a voice can speak."""
    return [(language_name(language), language) for language in WHISPER_CODES]


def language_name(language: str) -> str:
    """A language as the engine calls it, in the reader's words."""
    return text.LANGUAGES.get(language) or language.capitalize()
