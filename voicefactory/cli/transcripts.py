"""`voicefactory transcripts`: a project's texts; out to a file, a second opinion, numbers, Whisper sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voicefactory.cli.progress import duration
from voicefactory.errors import InputError
from voicefactory.pipeline.asr_choices import AsrChoice, choices
from voicefactory.pipeline.export import Exported, export
from voicefactory.pipeline.risk import risks
from voicefactory.pipeline.second_opinion import Opinion, load_opinions, second_opinion
from voicefactory.pipeline.segment import load_clips
from voicefactory.pipeline.transcripts import load_transcripts, write_numbers
from voicefactory.project import Project, slug
from voicefactory.types import OnProgress, ShouldStop, never, silent

GIB = 1 << 30


def transcripts_of(
    name: str,
    *,
    home: Path | None,
    form: str = "",
    out: Path | None = None,
    opinion: str = "",
    worst: int = 10,
    numbers: str = "",
    sizes: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Do what was asked with the texts of the project called `name`; what `--json` prints.

    Raises InputError for a project that is none or has no texts, or options that do not go together.
    """
    if bool(form) != (out is not None):
        raise InputError("Give both: --export FORMAT and --out FILE.")
    project = Project.open(slug(name), home)
    clips = load_clips(project)
    done: dict[str, Any] = {"project": str(project.root)}
    if sizes:
        found = choices(sum(clip.seconds for clip in clips), project.home)
        done["asr"] = [_choice(one) for one in found]
    if not load_transcripts(project):
        if sizes:
            return done
        raise InputError(f"{project.name} has no texts yet. Run create, or prepare it on the page, first.")
    if numbers:
        with project.alone():
            done["rewritten"] = write_numbers(project, numbers)
    if opinion:
        with project.alone():
            second_opinion(
                project,
                clips,
                load_transcripts(project),
                opinion,
                only=_riskiest(project, worst),
                on_progress=on_progress,
                should_stop=should_stop,
            )
    if out is not None:
        done["exported"] = _exported(export(project, form, out))
    opinions = load_opinions(project)
    names = {clip.id: clip for clip in clips}
    done["rows"] = [
        {
            "clip": row.clip,
            "file": names[row.clip].file,
            "start_s": names[row.clip].start_s,
            "text": row.text,
            "language": row.language,
            "confidence": row.confidence,
            "source": row.source,
            "dropped": row.dropped,
            **({"opinion": _opinion(opinions[row.clip])} if row.clip in opinions else {}),
        }
        for row in load_transcripts(project)
    ]
    return done


def _riskiest(project: Project, worst: int) -> list[str]:
    """Ids of the rows that a person has not decided yet, the riskiest first; unmeasured ones by Whisper's doubt."""
    from voicefactory.pipeline.analyse import load_analysis

    transcripts = load_transcripts(project)
    unsure = {row.clip: 1 - row.confidence for row in transcripts if row.source != "edited" and not row.dropped}
    ranked = risks(load_clips(project), transcripts, load_analysis(project))
    unsure.update({clip: risk.score for clip, risk in ranked.items() if clip in unsure})
    return sorted(unsure, key=lambda clip: -unsure[clip])[:worst]


def _choice(choice: AsrChoice) -> dict[str, Any]:
    return {
        "name": choice.name,
        "on_this_machine": choice.on_this_machine,
        "memory_bytes": choice.memory_bytes,
        "seconds": [choice.seconds_low, choice.seconds_high],
        "estimate": choice.estimate,
        "device": choice.device,
        "languages": list(choice.languages),
        "why_not": choice.why_not,
    }


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return {
        "asr": opinion.asr,
        "text": opinion.text,
        "word_error": round(opinion.word_error, 4),
        "disagreement": round(opinion.disagreement, 4),
        "differ": [[pair.first, pair.second] for pair in opinion.comparison.pairs if not pair.same],
    }


def _exported(done: Exported) -> dict[str, Any]:
    return {"path": str(done.path), "clips": done.clips, "left_out": done.left_out, "notes": list(done.notes)}


def lines(done: dict[str, Any]) -> list[str]:
    """The same for a person who reads a terminal."""
    told = [_size_line(one) for one in done.get("asr", ())]
    if "rewritten" in done:
        told.append(f"{done['rewritten']} texts were written anew.")
    if "exported" in done:
        written = done["exported"]
        left = f"; {written['left_out']} without a text, or dropped, left out" if written["left_out"] else ""
        told += [f"{written['path']}: {written['clips']} clips{left}", *written["notes"]]
    if told:
        told += [_differs(row) for row in done.get("rows", ()) if row.get("opinion", {}).get("differ")]
        return told
    for row in done["rows"]:
        dropped = "  (dropped)" if row["dropped"] else ""
        told.append(f"{row['clip']}  {row['source']:<7}  {row['confidence']:.2f}  {row['text']}{dropped}")
        if row.get("opinion", {}).get("differ"):
            told.append("    " + _differs(row))
    return told


def _differs(row: dict[str, Any]) -> str:
    pairs = ", ".join(f"{first or '-'} / {second or '-'}" for first, second in row["opinion"]["differ"])
    return f"{row['clip']}  {Path(row['opinion']['asr']).name} hears it differently: {pairs}"


def _size_line(one: dict[str, Any]) -> str:
    low, high = one["seconds"]
    time = f"{duration(low)} to {duration(high)}" if low is not None else "time not known yet"
    guessed = " (estimate)" if one["estimate"] and low is not None else ""
    spoken = "English only" if one["languages"] == ["english"] else f"{len(one['languages'])} languages"
    where = "here" if one["on_this_machine"] else "download"
    memory = f"{one['memory_bytes'] / GIB:.1f} GiB"
    return f"{one['name']:<15} {where:<9} {memory:>8}  {time}{guessed}; {spoken}. {one['why_not']}".rstrip()
