"""Two visitors of one page: nobody sees, hears, guesses or fetches what is another's, by whatever request."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, expect

from tests.ui import way
from tests.ui.conftest import PATIENCE_MS, Server
from tests.ui.visitor import Functions, Visitor, plain
from voicefactory import files, owners
from voicefactory.jobs.store import Job
from voicefactory.project import Project, folder_name

MISSING = "nobody--0123456789"
SECRET = "Ocelot"  #: in the name of her voice, in her texts, her jobs and her files, and nowhere else


@pytest.fixture(scope="module")
def eve(server: Server) -> Visitor:
    return Visitor(server, owners.new_key())


@pytest.fixture(scope="module")
def adam(server: Server) -> Visitor:
    return Visitor(server, owners.new_key())


@pytest.fixture(scope="module")
def hers(server: Server, eve: Visitor, prepared_project: Callable[[Path], Project], tmp_path_factory) -> Project:  # type: ignore[no-untyped-def]
    """A voice of Eve: recordings, clips, texts, an own reference, a voice as a zip."""
    made = prepared_project(tmp_path_factory.mktemp("hers"))
    project = Project(server.home / "projects" / folder_name(SECRET, eve.owner))
    shutil.copytree(made.root, project.root)
    files.write_json(project.info_path, {**made.info, "name": SECRET, "owner": eve.owner})
    texts = project.transcripts_jsonl.read_text(encoding="utf-8")
    project.transcripts_jsonl.write_text(re.sub(r'"text": "', f'"text": "{SECRET} ', texts), encoding="utf-8")
    files.write_text(project.root / "jobs" / f"{SECRET}.log", SECRET)
    return project


@pytest.fixture(scope="module")
def her_job(server: Server, eve: Visitor, hers: Project) -> Job:
    job = server.store.add("export", eve.owner, hers.identifier, {"form": "ljspeech", "name": SECRET})
    server.store.move(job.id, "running")
    assert server.store.move(job.id, "failed", error=SECRET)
    return server.store.get(job.id)


@pytest.fixture(scope="module")
def his(server: Server, adam: Visitor) -> Project:
    return Project.create(SECRET.lower(), server.home, owner=adam.owner)


@pytest.fixture
def handed_out(eve: Visitor, hers: Project) -> str:
    """The path of a file that Eve's page has shown her."""
    functions = Functions(eve.config())
    (opening,) = _looking(functions)
    shown = eve.run(opening["id"], functions.data(opening, hers.identifier))
    found = re.search(r"file=([^\"&\\ ]+\.wav)", shown.text)
    assert found, "Eve sees nothing to play"
    return found[1]


@pytest.mark.slow
def test_each_browser_has_its_own_voices(server: Server, browser: Browser, clips_dir: Path) -> None:
    pages = []
    for _ in range(2):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        way.open_page(page, server.url)
        expect(page.locator("#projects button")).to_have_count(0)
        way.create(page, "Secret plan")  # both: nobody is told that the name is taken
        pages.append(page)
    first, second = pages
    way.upload(first, way.samples(clips_dir, 1))
    expect(first.locator("#recordings-summary")).to_contain_text("1 recording", timeout=120_000)
    expect(second.locator("#projects button")).to_have_count(1)
    expect(second.locator("#recordings-summary")).to_contain_text("Nothing here yet")
    assert first.url != second.url
    way.open_page(second, f"{first.url}&step=train")
    expect(way.chosen(second)).to_have_text("Secret plan")
    assert second.evaluate("new URL(location).searchParams.get('project')") not in first.url
    assert "voicefactory" not in first.evaluate("document.cookie")

    # Her own link opens her voices in another browser, and scripts take the same key.
    first.locator("#other-browser").get_by_role("button").first.click()
    link = first.locator("#own-link").locator("textarea, input")
    expect(link).to_have_value(re.compile(r"\?key=[0-9a-f]{32}$"))
    own = link.input_value()
    way.open_page(second, own)
    assert "key" not in second.url
    expect(second.locator("#recordings-summary")).to_contain_text("1 recording")
    key = own.rsplit("=", 1)[1]
    assert [one["name"] for one in server.client(key).predict(api_name="/projects")] == ["Secret plan"]
    assert key not in server.log
    assert not any(key in path.read_text(errors="replace") for path in server.home.rglob("*.json*"))
    assert key.encode() not in (server.home / "jobs.db").read_bytes()
    for page in pages:
        page.context.close()


def test_no_function_tells_anything_of_another_s_project(
    eve: Visitor, adam: Visitor, hers: Project, her_job: Job, his: Project
) -> None:
    functions = Functions(adam.config())
    before = sorted((path, path.stat().st_mtime_ns) for path in hers.root.rglob("*"))
    asked = 0
    making = [number for element in ("samples", "create", "new-name") for number in functions.numbers_of(element)]
    for function in functions.all():
        if function["id"] in making or function["api_name"] == "create_project":
            continue  # they take no project, and make one
        for name in (hers.identifier, her_job.id):
            answers = []
            for project in (name, MISSING):
                row = [project, "true"] if function["collects_event_data"] else None
                answers.append(adam.run(function["id"], functions.data(function, project), row=row))
            hidden, missing = answers
            assert plain(hidden, name) == plain(missing, MISSING), function
            assert SECRET not in hidden.text.replace(name, ""), function
            asked += 1
    assert asked > 300, "the functions of the page were not found"
    assert before == sorted((path, path.stat().st_mtime_ns) for path in hers.root.rglob("*"))
    shown = [eve.run(one["id"], functions.data(one, hers.identifier)).text for one in _looking(functions)]
    assert SECRET in "".join(shown), "Eve does not see her own"


def _looking(functions: Functions) -> list[dict[str, Any]]:
    """Functions that only show something."""
    return [one for one in functions.all() if any(event == "load" for _, event in one["targets"])]


def test_no_endpoint_tells_anything_of_another_s_project(
    server: Server, eve: Visitor, adam: Visitor, hers: Project, her_job: Job
) -> None:
    client, own = server.client(adam.key or ""), server.client(eve.key or "")
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]  # type: ignore[index]
    assert SECRET in str(own.predict(api_name="/projects"))
    assert own.predict(hers.identifier, api_name="/status")["steps"]["recordings"]["state"] == "done"
    taken = {"/projects", "/jobs", "/create_project"}
    for name, endpoint in named.items():
        if name in taken:
            continue
        values = [_plausible(one) for one in endpoint["parameters"] if not one["parameter_has_default"]]
        for identifier, missing in ((hers.identifier, MISSING), (her_job.id, "20990101-000000-00000000")):
            told = []
            for one in (identifier, missing):
                with pytest.raises(AppError) as refused:
                    client.predict(one, *values[1:], api_name=name)
                told.append(str(refused.value).replace(one, "NAME"))
            assert told[0] == told[1], name
    for name in ("/projects", "/jobs"):
        assert SECRET not in str(client.predict(api_name=name)).replace(SECRET.lower(), "")
    nobody = Visitor(server)
    assert nobody.http.post("/gradio_api/queue/join", json={"data": [], "fn_index": 0}).status_code in (404, 400)


def _plausible(parameter: dict) -> object:  # type: ignore[type-arg]
    kind = parameter["python_type"]["type"]
    return {"bool": True, "float": 0.0, "list[dict]": []}.get(kind, "Hello.")


@pytest.mark.parametrize("forged", ["none", "owner", "digest", "short", "long", "upper", "home of another", "sql"])
def test_a_forged_cookie_opens_nothing(server: Server, eve: Visitor, hers: Project, forged: str) -> None:
    key, name = eve.key or "", owners.cookie_name(server.key)
    value = {
        "none": "",
        "owner": eve.owner,
        "digest": owners.short_digest(eve.owner),
        "short": key[:-1],
        "long": f"{key}0",
        "upper": key.upper() + "A",
        "home of another": key,
        "sql": "' OR '1'='1",
    }[forged]
    if forged == "home of another":
        name = owners.cookie_name(owners.new_key())
    nobody = Visitor(server, Cookie=f"{name}={value}")
    functions = Functions(nobody.config())
    for function in _looking(functions):
        assert SECRET not in nobody.run(function["id"], functions.data(function, hers.identifier)).text
    assert nobody.http.post("/gradio_api/upload", files={"files": ("a.wav", b"a")}).status_code == 404


def test_the_right_cookie_is_enough(server: Server, eve: Visitor, hers: Project) -> None:
    """So that the test above fails for the right reason."""
    known = Visitor(server, Cookie=f"{owners.cookie_name(server.key)}={eve.key}")
    functions = Functions(known.config())
    (opening,) = _looking(functions)
    assert SECRET in known.run(opening["id"], functions.data(opening, hers.identifier)).text


def test_only_its_owner_fetches_what_was_handed_out(
    server: Server, eve: Visitor, adam: Visitor, handed_out: str, hers: Project, his: Project
) -> None:
    whole = eve.fetch(handed_out)
    assert whole.status_code == 200
    assert eve.fetch(handed_out, Range="bytes=0-9").content == whole.content[:10]
    nobody, here = Visitor(server), server.home / "projects"
    upload = adam.upload("a.wav", b"mine")
    assert adam.fetch(upload).content == b"mine"
    for thief in (adam, nobody):
        for path in (
            handed_out,
            quote(handed_out, safe=""),
            quote(quote(handed_out, safe=""), safe=""),
            handed_out.replace("/given/", "/given/./"),
            handed_out.replace("/given/", "/given/../given/"),
            handed_out.replace("/given/", "/given/%2e%2e/given/"),
            handed_out.replace("/given/", "//given//"),
            handed_out.replace("/given/", "/GIVEN/"),
            str(
                Path(upload).parent
                / ".."
                / ".."
                / ".."
                / "given"
                / Path(handed_out).relative_to(server.home / "page" / "given")
            ),
            hers.clips_jsonl,
            hers.root / "jobs" / f"{SECRET}.log",
            here,
            server.home / "owner.key",
            server.home / "jobs.db",
            server.home / "page" / "secret.key",
            "/etc/passwd",
            "file:///etc/passwd",
            "https://example.org/",
        ):
            for prefix in (
                "/gradio_api/file=",
                "/gradio_api/file/",
                "/file=",
                "/GRADIO_API/file=",
                "/gradio_api//file=",
            ):
                for method in ("GET", "HEAD", "POST"):
                    answer = thief.http.request(method, f"{prefix}{path}", headers={"Range": "bytes=0-9"})
                    assert answer.status_code == 404, (method, prefix, path)
    assert eve.fetch(hers.clips_jsonl).status_code == 404  # not even her own, unless it was handed out


def test_the_same_upload_by_two_is_two_files(eve: Visitor, adam: Visitor) -> None:
    """The path does not follow from the content: who has the same recording does not reach that of another."""
    content = b"RIFF the same recording" * 100
    first, second = eve.upload("take.wav", content), adam.upload("take.wav", content)
    assert first != second
    for visitor, own, other in ((eve, first, second), (adam, second, first)):
        assert visitor.fetch(own).content == content
        assert visitor.fetch(other).status_code == 404


def test_nobody_brings_another_s_file_by_naming_it(
    server: Server, eve: Visitor, adam: Visitor, hers: Project, his: Project, handed_out: str, clips_dir: Path
) -> None:
    functions = Functions(adam.config())
    sound = sorted(clips_dir.glob("wavs/*.wav"))[0].read_bytes()
    sent, own = eve.upload(f"{SECRET}.wav", sound), adam.upload("mine.wav", sound)
    before = sorted(his.root.rglob("*"))
    actions = [
        number for element in ("files", "reference-file", "add-take") for number in functions.numbers_of(element)
    ]
    assert len(actions) >= 3
    for path in (
        sent,
        handed_out,
        str(hers.clips_jsonl),
        str(server.home / "owner.key"),
        "/etc/passwd",
        "http://127.0.0.1:1/a.wav",
        "../x",
    ):
        for kind in ({"_type": "gradio.FileData"}, None):
            named = {"path": path, "orig_name": "a.wav", **({"meta": kind} if kind else {})}
            for function in (one for one in functions.all() if one["id"] in actions):
                for given in (named, [named]):
                    files_given = {"files": given, "reference_file": given, "microphone": given}
                    answer = adam.run(function["id"], functions.data(function, his.identifier, **files_given))
                    assert answer.status_code == 404, function
                    assert "not here any more" in answer.text
    assert sorted(his.root.rglob("*")) == before
    bring = [one for one in functions.all() if one["id"] in functions.numbers_of("files") and len(one["inputs"]) == 4]
    mine = [{"path": own, "orig_name": "mine.wav", "meta": {"_type": "gradio.FileData"}}]
    answers = [adam.run(one["id"], functions.data(one, his.identifier, files=mine, language="auto")) for one in bring]
    assert any(answer.status_code == 200 for answer in answers)
    assert list(his.uploads.glob("*/mine.wav"))


def test_a_session_of_another_is_not_there(server: Server, eve: Visitor, adam: Visitor, hers: Project) -> None:
    """A session hash is chosen by the browser: Adam sends Eve's, listens to it, and asks for what is kept under it."""
    (projects,) = [one for one in eve.config()["dependencies"] if one["api_name"] == "projects"]
    joined = eve.http.post(
        "/gradio_api/queue/join", json={"data": [], "fn_index": projects["id"], "session_hash": "of-eve"}
    )
    event = joined.json()["event_id"]
    heard = ""
    with (
        contextlib.suppress(httpx.RemoteProtocolError),  # Gradio breaks off: there is no such session
        adam.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": "of-eve"}) as stream,
    ):
        for part in stream.iter_text():
            heard += part
    assert SECRET not in heard
    assert event not in heard
    for path in (f"/gradio_api/call/projects/{event}", f"/gradio_api/call/v2/projects/{event}"):
        assert adam.http.get(path).status_code == 404
    for path in ("/gradio_api/cancel", "/gradio_api/reset", f"/gradio_api/stream/{event}/close"):
        body = {"session_hash": "of-eve", "fn_index": projects["id"], "event_id": event}
        assert adam.http.post(path, json=body).status_code == 404
    assert adam.http.get("/gradio_api/deep_link", params={"session_hash": "of-eve"}).status_code == 404
    with eve.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": "of-eve"}) as stream:
        heard = ""
        for part in stream.iter_text():
            heard += part
            if "process_completed" in heard:
                break
    assert SECRET in heard  # it was there all the time


def test_what_a_session_keeps_is_kept_for_its_owner(eve: Visitor, adam: Visitor, hers: Project, his: Project) -> None:
    """The clip that was picked, and its text, lie in the session; nothing of it comes out under Adam's requests."""
    functions = Functions(eve.config())
    clip = files.read_jsonl(hers.transcripts_jsonl)[0]["clip"]
    (pick,) = [
        one
        for one in functions.all()
        if one["id"] in functions.numbers_of("transcripts") and any(event == "select" for _, event in one["targets"])
    ]
    shown = eve.run(pick["id"], functions.data(pick, hers.identifier), session="same", row=[clip])
    assert SECRET in shown.text
    for element in ("clip-undo", "clip-accept", "clip-drop", "clip-next", "all-accept"):
        for number in functions.numbers_of(element):
            (function,) = [one for one in functions.all() if one["id"] == number]
            answer = adam.run(number, functions.data(function, his.identifier), session="same")
            assert SECRET not in answer.text
            assert clip not in answer.text


def test_progress_of_an_upload_is_told_to_its_owner(eve: Visitor, adam: Visitor) -> None:
    sent = eve.http.post("/gradio_api/upload?upload_id=known", files={"files": (f"{SECRET}.wav", b"a")})
    assert sent.status_code == 200
    assert adam.http.get("/gradio_api/upload_progress?upload_id=known").status_code == 404
    told = eve.http.get("/gradio_api/upload_progress?upload_id=known").text
    assert "done" in told


def test_stored_states_are_not_brought_in_by_a_link(eve: Visitor, adam: Visitor) -> None:
    """Gradio would read the page's parts from a file of anybody's, and show them."""
    state = eve.upload("state.json", json.dumps([{"id": 1, "type": "html", "props": {"value": SECRET}}]).encode())
    for link in (f"../{Path(state).parent}", f"../uploaded/{Path(state).parent.parent.name}/{Path(state).parent.name}"):
        for path in ("/", "/config"):
            answer = adam.http.get(path, params={"deep_link": link})
            assert answer.status_code == 404
            assert SECRET not in answer.text


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page as on a Space; the secret is the test's, so that it can sign who is logged in."""
    server = Server(
        tmp_path_factory.mktemp("space") / "home",
        SPACE_ID="somebody/voices",
        SYSTEM="spaces",
        OAUTH_CLIENT_ID="test",
        OAUTH_CLIENT_SECRET="test",
        OAUTH_SCOPES="openid",
        OPENID_PROVIDER_URL="http://127.0.0.1:9",
    )
    server.start()
    yield server
    server.stop()


def _account(server: Server, name: str, secret: str = "test", expires_at: float = 4e9) -> Visitor:
    """Somebody who is logged in; the cookie is signed as Gradio signs it."""
    import base64
    import hashlib

    from itsdangerous import TimestampSigner

    info = {"oauth_info": {"userinfo": {"preferred_username": name}, "access_token": "x", "expires_at": expires_at}}
    signer = TimestampSigner(hashlib.sha256(f"{secret}-v4".encode()).hexdigest())
    return Visitor(server, Cookie=f"session={signer.sign(base64.b64encode(json.dumps(info).encode())).decode()}")


def test_on_a_space_the_login_says_who_it_is(space: Server) -> None:
    project = Project.create(SECRET, space.home, owner=owners.owner_of_user("eve"))
    own = Project.create(f"{SECRET} here", space.home)  # made by a command on the Space
    upload = _account(space, "eve").upload("a.wav", b"a")
    for visitor, sees in (
        (_account(space, "eve"), True),
        (_account(space, "adam"), False),
        (_account(space, owners.LOCAL), False),
        (_account(space, "eve", secret="guessed"), False),
        (_account(space, "eve", expires_at=1.0), False),
        (Visitor(space, space.key), False),
        (Visitor(space), False),
    ):
        functions = Functions(visitor.config())
        opening = max(_looking(functions), key=lambda one: len(one["outputs"]))  # the other is the button's
        shown = visitor.run(opening["id"], functions.data(opening, project.identifier)).text
        assert (SECRET in shown) == sees
        assert own.name not in shown
        assert visitor.fetch(upload).status_code == (200 if sees else 404)
    for target in (
        "https://example.org/x",
        "//example.org",
        "////example.org",
        "/\\example.org",
        "javascript:alert(1)",
    ):
        location = Visitor(space).http.get("/logout", params={"_target_url": target}).headers["location"]
        assert re.match(r"/(?![/\\])", location), location
    page = Visitor(space, space.key).http.get("/", params={"key": space.key})
    assert page.status_code == 303
    assert "voicefactory" not in str(page.headers.get("set-cookie"))
    assert "own-link" not in Visitor(space).http.get("/").text
