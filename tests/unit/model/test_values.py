"""Our own `dataclass` and `NamedTuple` make what the standard library's make."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import os
import pickle
import subprocess
import sys
import threading
import typing
from collections.abc import Callable
from typing import Any

import pytest

from headway.model.change import Amounts
from headway.model.ports import LogPage, TaskPage
from headway.model.stage import Stage
from headway.model.task import Task, TaskError
from headway.model.values import NamedTuple, dataclass, defaults_of, field


@dataclass(frozen=True, slots=True)
class Point:
    """Somewhere."""

    x: int
    y: int = 2
    seen: float | None = field(default=None, compare=False)
    secret: str = field(default="", repr=False)

    @property
    def both(self) -> tuple[int, int]:
        return self.x, self.y


@dataclass(slots=True)
class Counter:
    name: str
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    least: int = 1

    def __post_init__(self) -> None:
        if self.least < 0:
            raise ValueError(self.least)


class Pair(NamedTuple):
    """Two."""

    first: int
    second: str = "b"

    def swapped(self) -> tuple[str, int]:
        return self.second, self.first


def test_a_value_is_made_by_place_or_by_name_and_has_its_defaults() -> None:
    assert Point(1) == Point(x=1, y=2, seen=None)
    assert Point(1, 3).both == (1, 3)
    assert Checked().least == 1


@pytest.mark.parametrize(
    "wrong",
    [lambda: Point(), lambda: Point(1, z=2), lambda: Point(1, 2, None, "", 4), lambda: Checked(1)],  # type: ignore[call-arg, misc]
)
def test_wrong_arguments_are_refused_by_the_first_value_and_by_later_ones(wrong: Callable[[], object]) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match=r"__init__\(\)"):
            wrong()


def test_what_a_class_checks_after_making_a_value_is_checked() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            Checked(least=-1)


def test_equal_are_values_of_the_same_kind_whose_compared_fields_are() -> None:
    assert Point(1, seen=1.0) == Point(1, seen=2.0)
    assert hash(Point(1, seen=1.0)) == hash(Point(1, seen=2.0))
    assert Point(1) != Point(2)
    assert Point(1) != (1, 2, None)
    assert Counter("a") == Counter("a")


def test_what_is_frozen_cannot_be_changed_and_the_rest_can() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x  # type: ignore[misc]
    counter = Counter("a")
    counter.count += 1

    assert (point.x, counter.count) == (1, 1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
    assert not hasattr(point, "__dict__")


def test_it_reads_as_it_is_written_without_what_is_secret() -> None:
    assert repr(Point(1, secret="x")) == "Point(x=1, y=2, seen=None)"


VALUES = [
    Point(1, seen=4.0),
    Counter("a", 2),
    Stage("s"),
    TaskError("c", "m"),
    Task(task_id="a", created_at=1.0),
    Pair(1),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_it_is_copied_and_goes_to_another_process(value: object) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.copy(value) == copy.deepcopy(value) == value


def test_the_standard_library_takes_it_for_a_dataclass() -> None:
    point = Point(1, seen=4.0)

    assert dataclasses.is_dataclass(Point)
    assert [one.name for one in dataclasses.fields(Point)] == ["x", "y", "seen", "secret"]
    assert [one.compare for one in dataclasses.fields(point)] == [True, True, False, True]
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "seen": 4.0, "secret": ""}
    assert dataclasses.replace(point, y=5) == Point(1, 5)
    assert defaults_of(Point)["y"] == 2


@pytest.mark.parametrize("kind", [Stage, Task, TaskError, LogPage, TaskPage])
def test_help_shows_what_it_is_made_of(kind: type) -> None:
    shown = inspect.signature(kind)

    assert list(shown.parameters) == [one.name for one in dataclasses.fields(kind)]
    assert kind.__match_args__ == (() if kind is Task else tuple(shown.parameters))  # type: ignore[attr-defined]


def test_threads_may_make_the_first_value_at_once() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        number: int

    made: list[int] = []
    start = threading.Barrier(8)

    def make(number: int) -> None:
        start.wait()
        made.append(Fresh(number).number)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(made) == list(range(8))


def test_a_named_tuple_has_names_defaults_and_methods() -> None:
    first, second = Pair(first=1)

    assert (first, second) == (1, "b")
    assert Pair(3).swapped() == ("b", 3)
    assert Pair(3)._replace(second="c") == Pair(3, "c")
    assert Pair.__doc__ == "Two."
    assert (Pair._fields, Pair._field_defaults) == (("first", "second"), {"second": "b"})
    assert typing.get_type_hints(Amounts)["advance"] is float


@pytest.mark.parametrize("unwanted", ["dataclasses", "inspect", "pathlib", "sqlite3", "asyncio", "urllib.parse"])
def test_importing_headway_brings_in_nothing_that_is_slow_to_import(unwanted: str) -> None:
    # Of Python 3.14 on, `logging` brings some of them in by itself.
    code = (
        "import logging, sys; before = {*sys.modules}; import headway; "
        f"print({unwanted!r} in {{*sys.modules}} - before)"
    )
    env: dict[str, Any] = {**os.environ, "COVERAGE_PROCESS_START": ""}

    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
