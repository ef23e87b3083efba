"""The house rules of who may import what, and the few that keep files readable. Change a table here only on purpose."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
PACKAGE = SRC / "headway"

# Which rooms of headway a room may import, itself aside; a trailing ~ means: inside functions only.
# model → core → stores | runners | web → compose → demo, cli. Nothing points back.
ROOMS = {
    "model": "",
    "core": "model compose~",
    "settings": "model",
    "stores": "model core settings",
    "runners": "model core settings",
    "web": "model core settings",
    "compose": "model core settings stores runners web",
    "testing": "model core stores",
    "demo": "model core settings stores runners web compose headway",
    "cli": "model core settings stores runners web compose headway demo~",
    "__main__": "cli",
    "headway": "model core",
}

# A third-party package is imported only in the adapter that is named after it.
THIRD_PARTY = {
    "PIL": "demo/cards/*",
    "a2wsgi": "web/gateway*",
    "celery": "runners/celery*",
    "dramatiq": "runners/dramatiq*",
    "engineio": "web/gateway* web/fanout* web/socketio_handlers* web/engineio_*",
    "flask": "web/flask* web/rest* web/socketio_handlers* demo/*",
    "flask_socketio": "web/socketio_handlers*",
    "gevent": "web/socketio_handlers*",
    "httpx": "demo/*",
    "itsdangerous": "web/access* web/signed* demo/sessions*",
    "jinja2": "demo/*",
    "kombu": "runners/celery*",
    "markupsafe": "demo/*",
    "orjson": "web/*json*",
    "redis": "stores/redis* runners/rq*",
    "rq": "runners/rq*",
    "simple_websocket": "",
    "socketio": "web/gateway* web/fanout* web/socketio_handlers*",
    "uvicorn": "web/gateway* web/serve*",
    "websockets": "web/gateway* web/fanout*",
    "werkzeug": "web/flask* web/rest* web/socketio_handlers* demo/*",
}

# Standard library that would break what a room promises, and the files that are the door to it.
FORBIDDEN_IN = {
    "model": ("threading asyncio socket sqlite3 subprocess multiprocessing logging time os", "model/clock.py"),
    "core": ("asyncio socket sqlite3 selectors http urllib", ""),
}

JS_IMPORT = re.compile(r"""^(?:import|export)\s+(?:[\w*{},\s$]+\s+from\s+)?["']([^"']+)["']""", re.MULTILINE)

LONGEST = 350
# Each with the reason why it is one thing all the same.
LONGER: dict[str, str] = {
    "src/headway/static/js/progress/connection.js": "the life of one connection; a seam costs bytes that there aren't",
    "src/headway/static/js/progress/progress-bar.js": "one class with the methods that SPEC names, a third of it JSDoc",
}


@dataclass(frozen=True)
class Import:
    """One import statement's target: a module, or the name that is taken from it."""

    file: str
    line: int
    target: str
    is_lazy: bool
    is_for_types: bool

    def __str__(self) -> str:
        return f"src/headway/{self.file}:{self.line} imports {self.target}"


def test_rooms_import_only_what_lies_below_them() -> None:
    wrong = []
    for found in imports():
        room, target = room_of(found.file), found.target.split(".")
        if target[0] != "headway":
            continue
        # The version is a plain string, which no room owns.
        if found.target == "headway.__version__":
            continue
        other = target[1] if len(target) > 1 and is_room(target[1]) else "headway"
        allowed = ROOMS[room].split()
        if other != room and other not in allowed and not (f"{other}~" in allowed and found.is_lazy):
            wrong.append(f"{found}: {room} may import {ROOMS[room] or 'nothing'}")
    assert wrong == []


def test_every_room_is_in_the_table() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert {"headway" if room == "__init__" else room for room in rooms} <= set(ROOMS)


def test_third_party_packages_stay_in_the_adapters_named_after_them() -> None:
    wrong = []
    for found in imports():
        package = found.target.split(".")[0]
        if package == "headway" or package in sys.stdlib_module_names:
            continue
        if not any(fnmatch(found.file, pattern) for pattern in THIRD_PARTY.get(package, "").split()):
            wrong.append(f"{found}: allowed in {THIRD_PARTY.get(package) or 'no file'}")
    assert wrong == []


@pytest.mark.parametrize("room", FORBIDDEN_IN)
def test_a_pure_room_leaves_the_world_outside(room: str) -> None:
    forbidden, doors = (words.split() for words in FORBIDDEN_IN[room])

    wrong = [
        str(found)
        for found in imports()
        if room_of(found.file) == room
        and found.file not in doors
        and not found.is_for_types
        and found.target.split(".")[0] in forbidden
    ]

    assert wrong == []


def test_the_model_is_told_the_time() -> None:
    wrong = [
        f"src/headway/{file}:{node.lineno} reads the clock"
        for file, tree in trees().items()
        if room_of(file) == "model" and file != "model/clock.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and is_named(node.value, "date")
    ]

    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {module_of(file): set() for file in trees()}
    for found in imports():
        if not found.is_lazy and not found.is_for_types and (target := known_module(found.target)):
            graph[module_of(found.file)].add(target)

    assert circles(graph) == []


def test_importing_headway_brings_in_the_standard_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); import headway; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before} - {'headway'}))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert [name for name in loaded if name not in sys.stdlib_module_names] == []


def test_every_file_says_first_what_it_is_for() -> None:
    assert [file for file, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_no_file_grows_past_what_a_reader_can_hold() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in [*PACKAGE.rglob("*.py"), *javascript()]
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST
    }

    assert {file: lines for file, lines in long.items() if file not in LONGER} == {}
    assert [file for file in LONGER if file not in long] == [], "no longer an exception"


def test_no_test_waits_by_sleeping() -> None:
    wrong = [place for place, call in calls_in_tests("sleep", "wait_for_timeout") if sleeps(call.func)]

    assert wrong == [], "wait for a condition: tests.helpers.eventually, an Event, a locator"


def test_no_test_waits_for_a_bare_expression_in_a_page() -> None:
    wrong = [place for place, call in calls_in_tests("wait_for_function") if awaits_an_expression(call)]

    assert wrong == [], "a function, `() => …`: an expression is read anew each time, which the page's policy forbids"


def test_javascript_sources_import_only_each_other_and_in_no_circle() -> None:
    graph: dict[str, set[str]] = {}
    outside = []
    for path in javascript():
        targets = JS_IMPORT.findall(path.read_text("utf-8"))
        outside += [f"{path.relative_to(ROOT)} imports {target}" for target in targets if not target.startswith(".")]
        graph[str(path)] = {str((path.parent / target).resolve()) for target in targets}

    assert outside == []
    assert circles(graph) == []


# --- Reading the sources ---------------------------------------------------------------------------------------------


@cache
def trees() -> dict[str, ast.Module]:
    """By path within the package, as in `model/task.py`."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"), str(path))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def calls_in_tests(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """All calls, and where they are, in the files that have one of these names in them."""
    for path in (ROOT / "tests").rglob("*.py"):
        text = path.read_text("utf-8")
        if any(name in text for name in names):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for file, tree in trees().items() for found in imports_of(file, tree, lazy=False, types=False))


def imports_of(file: str, node: ast.AST, *, lazy: bool, types: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for name in node.names:
            yield Import(file, node.lineno, name.name, lazy, types)
        return
    if isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = module_of(file).split(".") if file.endswith("__init__.py") else module_of(file).split(".")[:-1]
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [base])])
        for name in node.names:
            yield Import(file, node.lineno, f"{base}.{name.name}", lazy, types)
        return
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    types = types or (isinstance(node, ast.If) and is_named(node.test, "TYPE_CHECKING"))
    for child in ast.iter_child_nodes(node):
        yield from imports_of(file, child, lazy=lazy, types=types)


def javascript() -> list[Path]:
    """The sources, without what is built from them."""
    built = {*PACKAGE.glob("static/js/progress*.*"), PACKAGE / "static/js/socket.io.min.js"}
    return sorted(path for path in PACKAGE.rglob("*.js") if path not in built and path.parent.name != "built")


def room_of(file: str) -> str:
    first = file.split("/")[0].removesuffix(".py")
    return "headway" if first == "__init__" else first


def is_room(name: str) -> bool:
    return name in ROOMS and name != "headway"


def module_of(file: str) -> str:
    return ".".join(["headway", *file.removesuffix(".py").split("/")]).removesuffix(".__init__")


def known_module(target: str) -> str | None:
    """`headway.model.task.Task` is found in the module `headway.model.task`; what isn't ours is none."""
    known = {module_of(file) for file in trees()}
    return next((name for name in (target, target.rpartition(".")[0]) if name in known), None)


def is_named(node: ast.expr, name: str) -> bool:
    """Whether it is `name`, `….name`, or begins with it, as `datetime` does with `date`."""
    text = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return text.startswith(name)


def sleeps(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(value=ast.Name(id="time"), attr="sleep") | ast.Name(id="sleep"):
            return True
        case ast.Attribute(attr="wait_for_timeout"):
            return True
    return False


def awaits_an_expression(call: ast.Call) -> bool:
    match call:
        case ast.Call(func=ast.Attribute(attr="wait_for_function"), args=[ast.Constant(value=str(script)), *_]):
            return "=>" not in script
    return False


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Each circle once, as the nodes along it."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> None:
        if node in path:
            found.append(path[path.index(node) :])
        elif node not in done:
            for target in sorted(graph.get(node, set()) - {node}):
                visit(target, [*path, node])
            done.add(node)

    for node in sorted(graph):
        visit(node, [])
    return found
