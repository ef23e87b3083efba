"""The documentation is true: its code runs, its commands exist, its links lead somewhere, its languages agree.

A page's Python blocks run in order, in one namespace and a folder of their own. The words behind a block's language:

    file=NAME    the block is written to that file, and imported where it is a module
    no-run       Python that needs a server at http://localhost:8080 and a `task_id`: it runs against one
    run          shell that is run, and not only looked at
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from headway.cli.command import _parsed
from tests.docs.pages import Block, anchors, blocks, links, pages, proofs, resolved, text_of
from tests.helpers import ROOT, Done, ServerProcess, finished
from tests.integration.cli_process import Cli

BIN = Path(sys.executable).parent
RUN_PAGE = Path(__file__).with_name("run_page.py")
# Programs that a reader is told to run, besides ours.
PROGRAMS = {
    "cd",
    "celery",
    "cp",
    "curl",
    "export",
    "flask",
    "git",
    "gunicorn",
    "nginx",
    "npm",
    "pip",
    "python",
    "redis-server",
    "sqlite3",
    "sudo",
    "systemctl",
    "uvicorn",
}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def with_blocks(*languages: str) -> list[str]:
    return [page for page in pages() if blocks(page, *languages)]


def all_blocks(*languages: str) -> list[Block]:
    return [block for page in pages() for block in blocks(page, *languages)]


def test_every_block_says_its_language() -> None:
    assert [str(block) for block in all_blocks() if not block.language] == []


@pytest.mark.parametrize("page", with_blocks("python", "py"))
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    plan = [
        {"page": block.page, "line": block.line, "code": block.code, "file": block.option("file")}
        for block in blocks(page)
        if (block.language in ("python", "py") and "no-run" not in block.words) or block.option("file")
    ]
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")

    done = run([sys.executable, RUN_PAGE, "plan.json"], tmp_path)

    assert done.code == 0, f"{page}\n{done.out}\n{done.err}"


@pytest.mark.parametrize("block", [block for block in all_blocks("python", "py") if "no-run" in block.words], ids=str)
def test_python_that_needs_a_server_runs_against_one(block: Block, tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    with ServerProcess(*cli.command("gateway", "--port", "{port}"), env=cli.env, cwd=tmp_path) as server:
        with cli.manager() as manager:
            task_id = manager.create_task("Import")
            manager.complete_task(task_id, result={"rows": 3})
        code = block.code.replace("http://localhost:8080", server.url)
        done = run([sys.executable, "-c", f"task_id = {task_id!r}\n{code}"], tmp_path)

    assert done.code == 0, f"{block}\n{done.out}\n{done.err}"


@pytest.mark.parametrize("block", [block for block in all_blocks("sh", "bash") if "run" in block.words], ids=str)
def test_shell_that_is_marked_to_be_run_runs(block: Block, tmp_path: Path) -> None:
    done = run(["bash", "-eu", "-o", "pipefail", "-c", block.code], tmp_path)

    assert done.code == 0, f"{block}\n{done.out}\n{done.err}"


@pytest.mark.parametrize("page", with_blocks("sh", "bash"))
def test_the_commands_of_a_page_exist(page: str) -> None:
    wrong = [f"{block}: {told}" for block in blocks(page, "sh", "bash") for told in wrong_commands(block)]

    assert wrong == []


@pytest.mark.parametrize("page", with_blocks("js", "javascript", "mjs"))
def test_the_javascript_of_a_page_parses(page: str, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(page, "js", "javascript", "mjs")):
        is_module = re.search(r"^(import|export) |^\s*(const|let)?.*\bawait ", block.code, re.MULTILINE)
        file = tmp_path / f"{number}{'.mjs' if is_module else '.js'}"
        file.write_text(block.code, "utf-8")

        done = run(["node", "--check", file], tmp_path)

        assert done.code == 0, f"{block}\n{done.err}"


@pytest.mark.parametrize("page", with_blocks("html"))
def test_the_html_of_a_page_is_sound_and_keeps_our_own_rules(page: str) -> None:
    wrong = [f"{block}: {told}" for block in blocks(page, "html") for told in wrong_html(block.code)]

    assert wrong == []


@pytest.mark.parametrize("page", with_blocks("json"))
def test_the_json_of_a_page_parses(page: str) -> None:
    for block in blocks(page, "json"):
        json.loads(block.code)


@pytest.mark.parametrize("page", pages())
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    wrong = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, fragment = resolved(page, unquote(target))
        if not path.exists() or (
            fragment and path.suffix == ".md" and fragment not in anchors(path.relative_to(ROOT).as_posix())
        ):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("page", [page for page in pages() if proofs(page)])
def test_every_proof_that_is_named_is_a_test(page: str) -> None:
    wrong = [
        f"{path}: {sentence}"
        for path, sentence in proofs(page)
        if f"def test_{sentence.replace(' ', '_')}(" not in resolved(page, path)[0].read_text("utf-8")
    ]

    assert wrong == []


def test_every_promise_of_delivery_names_its_proof() -> None:
    promised = text_of("docs/explanation/delivery.md").split("## What 'acknowledged' means")[0]

    paragraphs = [text for text in promised.split("\n\n") if text.startswith("**")]
    assert len(paragraphs) >= 15
    assert [text for text in paragraphs if '.py "' not in text] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        for target in links(page):
            path = resolved(page, target)[0]
            if path.suffix == ".md" and path.is_file() and path.is_relative_to(ROOT):
                waiting.append(path.relative_to(ROOT).as_posix())

    assert set(pages()) - found == set()


def test_the_chinese_readme_has_the_same_code_and_the_same_sections() -> None:
    english, chinese = ("README.md", "README.zh-CN.md")

    assert [spoken(block) for block in blocks(chinese)] == [spoken(block) for block in blocks(english)]
    assert [line.split()[0] for line in headings(chinese)] == [line.split()[0] for line in headings(english)]
    assert {link for link in links(english) if not link.endswith(".md")} == {
        link for link in links(chinese) if not link.endswith(".md")
    }


def test_no_page_speaks_of_this_machine() -> None:
    wrong = [page for page in pages() if re.search(r"(?<![\w.])/(work|root|tmp/hw)/", text_of(page))]

    assert wrong == []


def spoken(block: Block) -> tuple[str, str]:
    """The block without what people read only: comments, and text in quotation marks that is not ASCII."""
    code = re.sub(r"(?m)\s*(#|//|<!--).*$", "", block.code)
    return block.info, re.sub(r"(['\"])[^'\"\n]*[^\x00-\x7f][^'\"\n]*\1|(['\"])[A-Z][^'\"\n]*\2", "…", code)


def headings(page: str) -> list[str]:
    in_code = [line for block in blocks(page) for line in block.code.splitlines()]
    return [line for line in text_of(page).splitlines() if re.match("#+ ", line) and line not in in_code]


# --- Shell -----------------------------------------------------------------------------------------------------------


def wrong_commands(block: Block) -> list[str]:
    wrong = []
    joined = re.sub(r"\\\n\s*", " ", block.code)
    for line in joined.splitlines():
        command = re.sub(r"^\$ ", "", line.strip())
        if command and not command.startswith("#"):
            told = wrong_command(command)
            if told:
                wrong.append(f"{command!r} {told}")
    return wrong


def wrong_command(line: str) -> str:
    words = [word for word in shlex.split(line, comments=True) if word != "&"]
    while words and re.match(r"[A-Z_]+=", words[0]):
        words.pop(0)
    if not words:
        return ""
    program, *arguments = words
    if program.endswith("/python") or program == "python3":
        program = "python"
    if program == "headway":
        return wrong_headway(arguments)
    if program == "make":
        known = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
        asked = {argument for argument in arguments if not argument.startswith("args=")}
        return "" if asked and asked <= set(known) else f"make has {known}"
    if program == "pip":
        return wrong_pip(arguments)
    return "" if program in PROGRAMS else f"{program} is not a known program"


def wrong_headway(arguments: list[str]) -> str:
    """What the command's own parser says."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            _parsed([argument.replace("TASK_ID", "task-1") for argument in arguments])
    except SystemExit as end:
        return said.getvalue() if end.code else ""
    return ""


def wrong_pip(arguments: list[str]) -> str:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = [name for text in arguments for name in re.findall(r"headway\[([^\]]+)\]", text)]
    unknown = {name for names in asked for name in names.split(",")} - set(extras)
    return f"has no extra {unknown}" if unknown else ""


# --- HTML ------------------------------------------------------------------------------------------------------------


def wrong_html(code: str) -> list[str]:
    reader = _Html()
    reader.feed(code)
    reader.close()
    return [*reader.wrong, *(f"<{tag}> is not closed" for tag in reader.open)]


class _Html(HTMLParser):
    """Finds tags that don't match, inline script and style (which our CSP refuses), and files that we don't ship."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script" and "src" not in names:
            self.wrong.append("an inline script")
        if tag == "style" or "style" in names or any(name.startswith("on") for name in names):
            self.wrong.append(f"inline style or handler in <{tag}>")
        address = names.get("src") or names.get("href") or ""
        shipped = re.search(r"/static/((?:js|css|img)/(?:progress|socket\.io|headway)[\w.]*)$", address)
        if shipped and not (ROOT / "src/headway/static" / shipped[1]).is_file():
            self.wrong.append(f"{address} is not shipped")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")


def run(command: list[str | Path], folder: Path) -> Done:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("HEADWAY_")}
    env = settings | {
        "HEADWAY_STORE": f"sqlite:///{folder / 'tasks.db'}",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "PYTHONUTF8": "1",
    }
    return finished([str(part) for part in command], env=env, cwd=folder, timeout=120)
