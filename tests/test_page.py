"""The page of `derender serve`: it reads, shows and hands out, whatever is thrown at it, and keeps to its folder."""

import importlib
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import httpx
import numpy as np
import pytest
import toy_language
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from served_page import needs_chromium, open_browser, serve_page

import derender
from derender.cli import EXIT_STATUS, main
from derender.reader import Reader, ReadOptions
from derender.table import headers


TOY = str(Path(__file__).parent / "toy_language")
PACKAGE = Path(derender.__file__).parent
CLIENTS, REQUESTS = 8, 40
LARGEST_UPLOAD = 20 << 20


@pytest.fixture(scope="module")
def page_module() -> ModuleType:
    """Imported here: Gradio takes long seconds, which each process that collects this file would wait."""
    return importlib.import_module("derender.page")


@pytest.fixture(scope="module")
def arguments(options, trained) -> list[str]:
    return ["--model", f"{options.output_dir}/model", "--language", TOY]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Where the page is started, and its home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(arguments, home):
    """Of the page, which leaves nothing behind once it has ended, neither at home nor with the package."""
    command, temporary = Path(sys.executable).with_name("derender"), home / "tmp"
    temporary.mkdir()
    with serve_page(command, home, "serve", *arguments, HOME=str(home), TMPDIR=str(temporary)) as address:
        yield address
        assert list(temporary.iterdir())  # its folder, as long as it runs
    assert {path.name for path in home.rglob("*")} == {"page.log", "tmp"}
    assert not list(PACKAGE.glob("*.pyi"))
    # What Gradio logs is its own refusal of foreign paths.
    assert f'File "{PACKAGE}' not in (home / "page.log").read_text()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(8):
        objects = toy_language.sample_scene(np.random.default_rng(seed), max_objects=1)
        Image.fromarray(toy_language.render(objects)).resize((96, 96), 0).save(folder / f"{seed}.png")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def client(address) -> Client:
    return Client(address, verbose=False)


def ask(client: Client, path: Path, *how) -> dict:
    return client.predict(handle_file(path), *(how or (1, 0)), api_name="/read")


def read_by_command(path: Path, arguments: list[str], capsysbinary) -> dict:
    assert main([str(path), *arguments]) == 0
    return json.loads(capsysbinary.readouterr().out)


def test_programs_get_what_the_command_tells(client, pictures, arguments, capsysbinary):
    for path in pictures[:3]:
        told, wanted = ask(client, path), read_by_command(path, arguments, capsysbinary)
        assert told["objects"] == wanted["objects"] and told["language"] == "toy"
        assert told["confidences"] == pytest.approx(wanted["confidences"], abs=1e-3)


def test_candidates_and_drawings_are_those_asked_for(pictures, page_module, arguments, monkeypatch):
    desk, asked, read = page_module.Desk(Reader.open(arguments[1], language=TOY)), [], Reader.read
    monkeypatch.setattr(Reader, "read", lambda self, image, options: asked.append(options) or read(self, image))
    desk.read_for_programs(str(pictures[0]), 3, 20)
    desk.read_file(str(pictures[0]), 1, 0)
    assert asked == [ReadOptions(3, 20), ReadOptions()]


def test_many_at_once_are_all_answered_right(address, client, pictures):
    wanted = {path: ask(client, path)["objects"] for path in pictures}
    assert len({json.dumps(objects) for objects in wanted.values()}) > 3
    asked = [pictures[number % len(pictures)] for number in range(REQUESTS)]
    clients = [Client(address, verbose=False) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda pair: ask(clients[pair[0] % CLIENTS], pair[1]), enumerate(asked)))
    assert [answer["objects"] for answer in answers] == [wanted[path] for path in asked]


def make_bad(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.png"
    if kind == "cut":
        Image.new("L", (500, 500)).save(path)
        path.write_bytes(path.read_bytes()[:60])
    elif kind == "text":
        path.write_text("no picture")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "huge":
        Image.new("1", (9000, 9000)).save(path)
    else:
        Image.new("L", (32, 32), 255).save(path)
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("cut", "cannot be read"),
        ("text", "not a picture"),
        ("empty", "not a picture"),
        ("huge", "over the limit"),
        ("blank", "blank"),
    ],
)
def test_a_bad_picture_is_told_and_the_page_goes_on(kind, message, client, pictures, tmp_path):
    before = ask(client, pictures[0])
    with pytest.raises(AppError, match=message):
        ask(client, make_bad(kind, tmp_path))
    assert ask(client, pictures[0]) == before


def test_of_several_pages_it_is_told(client, pictures, page_module, arguments, monkeypatch, tmp_path):
    pages, told = tmp_path / "pages.tif", []
    first, second = map(Image.open, pictures[:2])
    first.save(pages, save_all=True, append_images=[second])
    expected = ask(client, pictures[0])["objects"]
    assert ask(client, pages)["objects"] == expected
    monkeypatch.setattr(page_module.gr, "Warning", told.append)
    desk = page_module.Desk(Reader.open(arguments[1], language=TOY))
    assert desk.read_for_programs(str(pages), 1, 0)["objects"] == expected
    assert told == ["the picture: has several pages or frames, of which the first is read"]


def test_an_upload_may_only_be_so_large(address, client, pictures, tmp_path):
    large = tmp_path / "large.png"
    large.write_bytes(pictures[0].read_bytes() + bytes(LARGEST_UPLOAD))
    with large.open("rb") as stream:
        answer = httpx.post(f"{address}/gradio_api/upload", files={"files": stream}, timeout=60)
    assert answer.status_code == 413
    assert ask(client, pictures[0])["objects"]


def test_no_other_file_is_read(address, client, pictures, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(pictures[0].read_bytes())
    for path in (secret, "/etc/passwd", "/dev/zero", PACKAGE / "cli.py"):
        for route in ("file=", "gradio_api/file="):
            assert httpx.get(f"{address}/{route}{path}").status_code in (403, 404)
        for more in ({"meta": {"_type": "gradio.FileData"}}, {"meta": {"_type": "other"}}, {}):
            answer = post(address, {"path": str(path), **more}, 1, 0)
            assert "event: error" in answer and "objects" not in answer and "no such file" not in answer


def post(address: str, *data) -> str:
    """What the API answers to anything at all."""
    event = httpx.post(f"{address}/gradio_api/call/read", json={"data": list(data)}).json()["event_id"]
    return httpx.get(f"{address}/gradio_api/call/read/{event}", timeout=60).text


def test_addresses_are_not_fetched(address):
    """A public one; Gradio itself keeps from private ones alone."""
    picture = {"path": "https://example.org/picture.png", "meta": {"_type": "gradio.FileData"}}
    answer = post(address, picture, 1, 0)
    assert "event: error" in answer and "upload the file" in answer


def test_what_programs_leave_out(client, address, pictures):
    assert "Choose a picture, or draw one" in post(address, None, None, None)
    usual = ask(client, pictures[0])
    assert ask(client, pictures[0], None, None) == usual == ask(client, pictures[0], -5, -5)
    picture = {"path": "nowhere", "meta": {"_type": "gradio.FileData"}}
    assert "event: error" in post(address, picture, "many", 0)
    with pytest.raises(AppError, match="is no number"):
        ask(client, pictures[0], "many", 0)


def test_one_reading_at_a_time_whatever_asks(page_module, arguments):
    page = page_module.build_page(Reader.open(*arguments[1::2][:1], language=TOY))
    shared = [function.name for function in page.fns.values() if function.concurrency_id == "reading"]
    assert sorted(shared) == ["read_file", "read_file", "read_for_programs"]


def test_candidates_do_not_depend_on_what_else_is_asked(client, address, pictures):
    wanted = [ask(client, path, 6, 0) for path in pictures]
    clients = [Client(address, verbose=False) for _ in pictures]
    with ThreadPoolExecutor(len(pictures)) as pool:
        assert list(pool.map(lambda pair: ask(*pair, 6, 0), zip(clients, pictures, strict=True))) == wanted


def test_it_listens_on_the_loopback_alone(address):
    port = int(address.rsplit(":", 1)[1])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row[1] for row in rows if row[3] == "0A" and int(row[1].rsplit(":")[1], 16) == port]
    assert listening == [f"0100007F:{port:04X}"]


def test_a_port_in_use_is_named(address, arguments):
    port = address.rsplit(":", 1)[1]
    where = ["--host", "localhost", "--port", port, "--tta"]
    command = [Path(sys.executable).with_name("derender"), "serve", *where, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == EXIT_STATUS["usage"] and done.stdout == ""
    assert done.stderr.strip() == (
        f"derender: cannot listen on port {port} of localhost: in use, not allowed, or no address of this machine"
    )


def test_it_tells_where_it_is(address, home):
    assert (home / "page.log").read_text().splitlines()[0] == f"the page: {address}/ (Ctrl+C ends it)"


def as_row(**cells: str) -> list[str]:
    _, *names, _ = headers(toy_language.LANGUAGE)
    return ["true", *(cells.get(name, "") for name in names), "0.9"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (None, "Read a picture first."),
        ([{"category": "star"}], "row 1: .*star"),
        ([{"category": "dot", "x": "1", "y": "2"}, {"category": "dot", "x": "far", "y": "1"}], "row 2: .*far"),
    ],
)
def test_a_table_that_cannot_be_drawn_says_why(rows, message, pictures, page_module, arguments):
    desk = page_module.Desk(Reader.open(arguments[1], language=TOY))
    reading = None if rows is None else desk.reader.read(Image.open(pictures[0]))
    with pytest.raises(page_module.gr.Error, match=message):
        desk.redraw(reading, [as_row(**cells) for cells in rows or []])


@needs_chromium
def test_it_is_seen_changed_and_taken_along_in_a_browser(address, pictures, tmp_path):
    with open_browser() as page:
        page.set_viewport_size({"width": 1300, "height": 1100})
        page.goto(address)
        page.set_input_files("input[type=file]", str(pictures[0]))
        page.get_by_text("1 object,").wait_for(timeout=120_000)
        shown = page.locator("img[alt='']").count()
        assert shown
        before = page.inner_text("body")
        page.locator("[role=gridcell] input[type=checkbox]").first.click(force=True)
        page.get_by_text("0 objects").wait_for(timeout=120_000)
        assert page.inner_text("body") != before
        with page.expect_download() as download:
            page.get_by_role("link", name="JSON").or_(page.get_by_role("button", name="JSON")).click()
        download.value.save_as(tmp_path / "drawing.json")
        assert json.loads((tmp_path / "drawing.json").read_text())["objects"] == []


@needs_chromium
def test_a_sketch_is_read_in_a_browser(address):
    with open_browser() as page:
        page.set_viewport_size({"width": 1300, "height": 1100})
        page.goto(address)
        page.get_by_role("tab", name="A sketch").click()
        page.get_by_role("button", name="Brush").click()
        pad = page.locator("canvas").first
        pad.wait_for(timeout=120_000)
        box = pad.bounding_box()
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=10)
        page.mouse.up()
        page.get_by_role("button", name="Read the sketch").click()
        # The model knows bars, and may refuse a line: either way the sketch has been read.
        page.get_by_text(re.compile(r"[0-9]+ objects?, |no picture of the kind")).first.wait_for(timeout=120_000)
