"""The `voicefactory` command: the pipeline for scripts and for people who like a terminal.

A contract that others script against: progress goes to stderr, results to stdout; exit code 0 means done,
2 that the caller's input is at fault, 1 anything else, 130 Ctrl-C. Heavy packages are imported by the
commands that need them, so that the others answer at once.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicefactory import __version__, cli_jobs
from voicefactory.cli_ending import report, say_aside, stoppable
from voicefactory.errors import InputError

if TYPE_CHECKING:
    from voicefactory.pipeline.request import Request
    from voicefactory.types import ShouldStop

TOY = "Note: the toy model makes noise, not speech. It is there to try the way out."

app = typer.Typer(
    help="From recordings to a voice: transcribe, fine-tune Qwen3-TTS, listen, share.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_jobs.app, name="jobs")


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
    _use_home(home)
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
        _summarize(result)


def _create(
    name: str, paths: list[Path], request: Request, home: Path | None, should_stop: ShouldStop
) -> dict[str, Any]:
    """The work of `create`; what it made, as JSON."""
    from voicefactory.cli_progress import progress_on
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
def clean(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    denoise: Annotated[bool, typer.Option("--denoise", help="Take away noise.")] = False,
    level: Annotated[bool, typer.Option("--level", help="Bring all to one loudness.")] = False,
    highpass: Annotated[bool, typer.Option("--highpass", help="Take away rumble below the voice.")] = False,
    clips: Annotated[str, typer.Option(help="Ids with commas between; otherwise all.", metavar="ID,...")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Bring the originals back.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Clean the clips of a project. The originals are kept, and texts stay."""
    _use_home(home)
    with stoppable() as stop:
        from voicefactory.cli_clean import clean_clips, summary

        steps = {"denoise": denoise, "level": level, "highpass": highpass}
        result = clean_clips(name, steps=steps, clips=clips, undo=undo, home=home, should_stop=stop.asked)
    typer.echo(json.dumps(result, ensure_ascii=False) if as_json else summary(result))


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
    _use_home(home)
    from voicefactory.cli_plan import lines, plan_of

    found = plan_of(project, engine=engine, model=model, preset=preset, overrides=overrides or (), home=home)
    if as_json:
        typer.echo(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(found)))


@app.command()
def analyse(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    dnsmos: Annotated[bool, typer.Option("--dnsmos/--no-dnsmos", help="Also rate the sound; takes longest.")] = True,
    worst: Annotated[int | None, typer.Option(help="Only so many, the riskiest.", min=1)] = None,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Measure every clip, and show what is wrong with which, the riskiest first."""
    _use_home(home)
    from voicefactory.cli_analyse import analysis_of, lines
    from voicefactory.cli_progress import progress_on

    with stoppable() as stop, progress_on() as tell:
        found = analysis_of(name, home=home, dnsmos=dnsmos, worst=worst, on_progress=tell, should_stop=stop.asked)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines(found)))


@app.command()
def dataset(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep it as it is now, for training.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only the frozen ones.")] = False,
    reference: Annotated[str, typer.Option(help="The clip that shows the voice, to freeze with.")] = "",
    speakers: Annotated[str, typer.Option(help="one, or folders, as for create.")] = "one",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show what training would see, whether it is enough, and what would help most; or freeze it."""
    _use_home(home)
    from voicefactory.cli_dataset import dataset_of, frozen_lines, lines
    from voicefactory.cli_progress import progress_on

    with progress_on() as tell:
        found = dataset_of(name, home=home, freeze=freeze, reference=reference, speakers=speakers, on_progress=tell)
    told = frozen_lines(found["frozen"]) if only_list else lines(name, found, home=home)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(told))


@app.command()
def prompts(
    language: Annotated[str, typer.Argument(help="english, german, ...", metavar="LANGUAGE")],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Print sentences to read aloud, the most useful first: about half an hour of speech."""
    from voicefactory.cli_dataset import prompt_lines, prompts_of

    rows = prompts_of(language)
    typer.echo(json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(prompt_lines(rows)))


@app.command()
def transcripts(
    project: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    form: Annotated[str, typer.Option("--export", help="ljspeech, jsonl, srt or vtt; with --out.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="The file to write.", metavar="PATH")] = None,
    opinion: Annotated[
        str, typer.Option("--second-opinion", help="Another Whisper model, which hears the riskiest rows.")
    ] = "",
    worst: Annotated[int, typer.Option(help="How many rows it hears.", min=1)] = 10,
    numbers: Annotated[str, typer.Option(help="Write Whisper's numbers anew: 'as written' or 'in words'.")] = "",
    sizes: Annotated[bool, typer.Option("--asr-sizes", help="Whisper sizes, and how long they would take.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show what was heard; write it to a file, ask another Whisper, choose how numbers are written."""
    _use_home(home)
    with stoppable() as stop:
        from voicefactory.cli_progress import progress_on
        from voicefactory.cli_transcripts import lines, transcripts_of

        with progress_on() as tell:
            done = transcripts_of(
                project,
                home=home,
                form=form,
                out=out,
                opinion=opinion,
                worst=worst,
                numbers=numbers,
                sizes=sizes,
                on_progress=tell,
                should_stop=stop.asked,
            )
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else "\n".join(lines(done)))


@app.command()
def say(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    text: Annotated[str, typer.Argument(help="What to say.", metavar="TEXT")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The wav, flac or mp3 to write.", metavar="OUT.wav")],
    language: Annotated[
        str, typer.Option(help="auto, english, german, ...; otherwise the one it was trained in.")
    ] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks, if the voice has several; otherwise the newest.")] = "",
    instruct: Annotated[str, typer.Option(help="How to speak, in words; for voices of the size 1.7B.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    temperature: Annotated[float | None, typer.Option(help="How freely it speaks, 0.1 to 1.5.")] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="No chance at all: always the likeliest sound.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
) -> None:
    """Speak a text with a voice, however long it is: sentence by sentence."""
    from voicefactory.cli_progress import progress_on
    from voicefactory.cli_say import notes
    from voicefactory.pipeline.synthesize import synthesize

    _refuse_folder(out, "voice.wav")
    began = time.monotonic()
    with stoppable() as stop, progress_on() as tell:
        speech = synthesize(
            voice,
            text,
            out,
            language=language,
            seed=seed,
            temperature=temperature,
            greedy=greedy,
            device=device,
            speaker=speaker,
            instruct=instruct,
            on_progress=tell,
            should_stop=stop.asked,
        )
    took = time.monotonic() - began
    typer.echo(f"{out}: {speech.seconds:.1f} s of speech, seed {speech.seed}, made in {took:.1f} s")
    for note in notes(voice, speech, TOY):
        say_aside(note)


@app.command("say-lines")
def say_lines(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    lines: Annotated[Path, typer.Argument(help="A .txt, or a .csv with a column 'text'.", metavar="LINES")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.", metavar="OUT.zip")],
    form: Annotated[str, typer.Option(help="wav, flac or mp3.")] = "wav",
    language: Annotated[
        str, typer.Option(help="auto, english, german, ...; otherwise the one it was trained in.")
    ] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks, if the voice has several; otherwise the newest.")] = "",
    seed: Annotated[int, typer.Option(help="Another seed is another take.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
) -> None:
    """Speak every line of a file into one of its own; all in a zip with a list. Run again, it goes on."""
    from voicefactory.cli_progress import progress_on
    from voicefactory.cli_say import speak_lines

    _refuse_folder(out, "lines.zip")
    with stoppable() as stop, progress_on() as tell:
        count = speak_lines(
            voice,
            lines,
            out,
            form=form,
            language=language,
            speaker=speaker,
            seed=seed,
            device=device,
            on_progress=tell,
            should_stop=stop.asked,
        )
    typer.echo(f"{out}: {count} lines")


@app.command()
def judge(
    voice: Annotated[
        str, typer.Argument(help="A voice's folder, or a project's name for all of its.", metavar="VOICE")
    ],
    sentences: Annotated[int, typer.Option(help="How many each of them says.", min=1)] = 24,
    seeds: Annotated[int, typer.Option(help="Takes of each sentence.", min=1)] = 2,
    quick: Annotated[bool, typer.Option("--quick", help="6 sentences, one take: a first impression.")] = False,
    base: Annotated[str, typer.Option(help="Base model for zero-shot; otherwise the one of the voice.")] = "",
    reference: Annotated[str, typer.Option(help="What zero-shot imitates: an audio file or a clip's id.")] = "",
    language: Annotated[str, typer.Option(help="english, german, ...; otherwise the voice's.")] = "",
    speaker: Annotated[str, typer.Option(help="Who speaks, if the voice has several; otherwise the first.")] = "",
    asr: Annotated[
        str, typer.Option(help="Whisper model: a name, a directory, or auto.", envvar="VOICEFACTORY_ASR")
    ] = "auto",
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints/--no-checkpoints", help="Also other weights that were kept.")
    ] = True,
    project: Annotated[str, typer.Option(help="Whose recordings, if the voice lies outside its project.")] = "",
    out: Annotated[Path | None, typer.Option("--report", help="Also write a report.", metavar="FILE.html")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Compare a voice with its recordings and with the base model's zero-shot clone. Goes on where it was stopped."""
    _use_home(home)
    from voicefactory.cli_judge import QUICK_SEEDS, QUICK_SENTENCES, check_report, judged, lines, write_report
    from voicefactory.cli_progress import progress_on
    from voicefactory.pipeline.judgement import to_json

    check_report(out)
    request = {
        "sentences": min(sentences, QUICK_SENTENCES) if quick else sentences,
        "seeds": min(seeds, QUICK_SEEDS) if quick else seeds,
        "base": base,
        "reference": reference,
        "language": language,
        "speaker": speaker,
        "asr": asr,
        "device": device,
        "checkpoints": checkpoints,
    }
    with stoppable() as stop, progress_on() as tell:
        found = judged(voice, request, project=project, home=home, on_progress=tell, should_stop=stop.asked)
    told = {**to_json(found), "judgement": str(found.path), "report": write_report(found, out)}
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(lines(found)))


@app.command("zero-shot")
def zero_shot(
    name: Annotated[str, typer.Argument(help="The voice's name, as given to create.", metavar="NAME")],
    base: Annotated[str, typer.Option(help="Base model; otherwise the one of the newest voice.")] = "",
    reference: Annotated[str, typer.Option(help="What it imitates: an audio file or a clip's id.")] = "",
    language: Annotated[str, typer.Option(help="english, german, ...; otherwise that of the recordings.")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    home: Annotated[Path | None, typer.Option(help="Where projects are kept.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON on stdout.")] = False,
) -> None:
    """Make a voice without training: the base model imitates the reference. For when judge says that suffices."""
    _use_home(home)
    from voicefactory.cli_progress import progress_on
    from voicefactory.cli_zero_shot import lines, zero_shot_of

    request = {"base": base, "reference": reference, "language": language, "device": device}
    with progress_on() as tell:
        found = zero_shot_of(name, request, home=home, on_progress=tell)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines(found)))


@app.command()
def package(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.", metavar="OUT.zip")],
) -> None:
    """Put a voice into one zip."""
    from voicefactory.pipeline.package import zip_voice

    _refuse_folder(out, "voice.zip")
    typer.echo(zip_voice(voice, out))


@app.command()
def push(
    voice: Annotated[Path, typer.Argument(help="The voice's folder.", metavar="VOICE_DIR")],
    repo_id: Annotated[str, typer.Argument(help="owner/name on the Hugging Face Hub.", metavar="REPO_ID")],
    public: Annotated[bool, typer.Option("--public", help="Let everybody see it.")] = False,
) -> None:
    """Upload a voice to the Hugging Face Hub: private unless --public. The token is HF_TOKEN, or your login."""
    from huggingface_hub import get_token

    from voicefactory.cli_progress import progress_on
    from voicefactory.pipeline.publish import TOKENS_PAGE, publish

    token = get_token()
    if not token:
        raise InputError(
            f"Log in with 'hf auth login', or set HF_TOKEN to a token with write permission ({TOKENS_PAGE})."
        )
    with progress_on() as tell:
        url = publish(voice, repo_id, token=token, public=public, on_progress=tell)
    typer.echo(url)


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
    _use_home(home)
    from voicefactory import cli_delete

    whose, projects = cli_delete.doomed(name, everything=everything, owner=owner, home=home)
    if not yes:
        cli_delete.confirm(cli_delete.question(whose, projects, everything=everything))
    gone = cli_delete.delete(whose, projects, everything=everything, home=home)
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
    _use_home(home)
    from voicefactory.cli_doctor import is_sick, lines
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
    _use_home(home)
    from voicefactory.ui.app import serve as serve_page

    serve_page(host, port)


def _summarize(result: dict[str, Any]) -> None:
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


def _use_home(home: Path | None) -> None:
    """--home is for everything below, also for processes that it starts."""
    if home is not None:
        from voicefactory.settings import settings

        os.environ["VOICEFACTORY_HOME"] = str(home.expanduser().resolve())
        settings.cache_clear()


def _refuse_folder(out: Path, example: str) -> None:
    if out.is_dir():
        raise InputError(f"{out} is a folder. Give the file to write, for example {out / example}.")
