"""A post from its topic to its files, with the real manager, the real runner and real drawing processes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headway import ProgressManager, Task
from headway.demo.cards.workers import PictureWorkers
from headway.demo.generators.base import Brief
from headway.demo.generators.offline import OfflineGenerator, Pace, compose
from headway.demo.studio import STAGES, Studio, make_post, stages
from headway.demo.wish import Wish
from headway.model.errors import InvalidValue
from headway.runners import LocalRunner
from tests.helpers import eventually
from tests.integration.openai_server import Answering, OpenAIServer, delta, streaming

NAMES = ["title", "text", "tags", "pictures", "layout"]


@pytest.fixture
def manager() -> Iterator[ProgressManager]:
    with ProgressManager(store="memory://") as made:
        yield made


@pytest.fixture
def runner(manager: ProgressManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalRunner]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    made = LocalRunner(manager, workers=2)
    yield made
    made.close()


def start(runner: LocalRunner, folder: Path, *, make: Callable[..., Any] = make_post, **wish: Any) -> str:
    wish = {"topic": "老北京胡同", "cards": 2, "seed": 5} | wish
    return runner.submit(make, stages=stages("zh-CN"), data_dir=str(folder), **wish)


def make_at_once(reporter: Any, *, data_dir: str, **wish: Any) -> dict[str, Any]:
    """`make_post`, without the pauses in which a person reads."""
    checked = Wish.checked(**{"language": None, "style": "lively", "palette": None} | wish)
    with PictureWorkers(2) as workers:
        return Studio(Path(data_dir), generator=OfflineGenerator(Pace(1_000, 0)), workers=workers).make(
            reporter, checked
        )


def ended(manager: ProgressManager, task_id: str) -> Task:
    def final() -> Task | None:
        task = manager.get_task(task_id)
        return task if task.state in ("completed", "failed", "cancelled") else None

    found = eventually(final, 90)
    assert found is not None
    return found


def files(folder: Path, task_id: str) -> list[str]:
    return sorted(path.name for path in (folder / task_id).glob("*"))


def test_a_topic_becomes_a_post(manager: ProgressManager, runner: LocalRunner, tmp_path: Path) -> None:
    task_id = start(runner, tmp_path, make=make_at_once, cards=3, style="gentle")

    task = ended(manager, task_id)

    assert (task.state, task.progress, task.error) == ("completed", 100, None)
    assert [(stage.name, stage.state) for stage in task.stages or ()] == [(name, "completed") for name in NAMES]
    post = task.result
    assert isinstance(post, dict)
    expected = compose(Brief("老北京胡同", "gentle", "zh-CN", 3, 5))
    assert (post["title"], post["text"], tuple(post["tags"])) == (expected.title, expected.text, expected.tags)
    assert {key: post[key] for key in ("topic", "style", "language", "seed", "cover")} == {
        "topic": "老北京胡同", "style": "gentle", "language": "zh-CN", "seed": 5, "cover": "card-01.png",
    }  # fmt: skip
    assert post["generator"]["offline"] is True
    assert [card["heading"] for card in post["cards"]] == [card.heading for card in expected.cards]
    assert all((card["width"], card["height"]) == (1242, 1660) and card["alt"] for card in post["cards"])
    assert str(tmp_path) not in json.dumps(post)
    named = {name for card in post["cards"] for name in (card["file"], card["thumb"])}
    assert files(tmp_path, task_id) == sorted(named | {post["overview"], post["archive"]})
    with zipfile.ZipFile(tmp_path / task_id / post["archive"]) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["post.txt", "card-01.png", "card-02.png", "card-03.png"]
        assert post["title"] in archive.read("post.txt").decode()


def test_what_is_written_is_shown_while_it_is_written(
    manager: ProgressManager, runner: LocalRunner, tmp_path: Path
) -> None:
    task_id = start(runner, tmp_path)

    writing = eventually(
        lambda: (t := manager.get_task(task_id)).status == "text" and t.details["draft"]["text"] and t, 60
    )
    drawing = eventually(lambda: (t := manager.get_task(task_id)).status == "pictures" and t, 60)
    whole = compose(Brief("老北京胡同", "lively", "zh-CN", 2, 5))

    assert whole.text.startswith(writing.details["draft"]["text"])
    assert (writing.message, writing.details["unit"]) == ("正在撰写正文…", "字")
    assert drawing.details["draft"]["title"] == whole.title
    assert (drawing.details["total"], drawing.details["unit"]) == (2, "张")
    assert ended(manager, task_id).state == "completed"


@pytest.mark.parametrize("stage", ["text", "pictures"])
def test_a_cancelled_post_leaves_no_file(
    stage: str, manager: ProgressManager, runner: LocalRunner, tmp_path: Path
) -> None:
    task_id = start(runner, tmp_path, make=make_post if stage == "text" else make_at_once, cards=24)
    eventually(lambda: manager.get_task(task_id).status == stage, 60)

    manager.cancel_task(task_id)

    assert ended(manager, task_id).state == "cancelled"
    assert not (tmp_path / task_id).exists()


def test_a_post_can_be_made_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ProgressManager(store=f"sqlite:///{tmp_path}/headway.db") as manager:
        runner = LocalRunner(manager, workers=1, kind="process")
        task_id = start(runner, tmp_path / "posts", topic="tea", language="en", cards=1)
        task = ended(manager, task_id)
        runner.close()

    assert task.state == "completed"
    assert "card-01.png" in files(tmp_path / "posts", task_id)


def test_a_service_that_fails_fails_the_task_and_a_retry_succeeds(
    manager: ProgressManager, runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = "[[TITLE]]\n胡同慢时光\n[[TEXT]]\n清晨的胡同还没睡醒。\n[[TAGS]]\n#胡同\n[[CARD cover]]\n胡同\n[[END]]"

    def script(answering: Answering) -> None:
        if len(answering.server.requests) == 1:
            answering.status(429)
        else:
            streaming([answer])(answering)

    with OpenAIServer(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        task_id = start(runner, tmp_path, cards=1)
        failed = ended(manager, task_id)
        left = files(tmp_path, task_id)
        manager.retry_task(task_id)
        made = eventually(lambda: (t := manager.get_task(task_id)).state == "completed" and t, 60)

    assert failed.error is not None
    assert failed.error.code == "generator_rate_limited"
    assert "重试" in failed.error.message
    assert left == []
    assert (made.attempt, made.result["title"]) == (2, "胡同慢时光")
    assert made.result["generator"]["offline"] is False


def test_the_longest_post_fits_into_what_a_task_may_tell(
    manager: ProgressManager, runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = "".join(f"[[CARD list]]\n{'长' * 60}\n" + f"- {'很' * 160}\n" * 8 for _ in range(2))
    tags = " ".join("签" * 29 + str(i) for i in range(9))
    answer = f"[[TITLE]]\n{'题' * 80}\n[[TEXT]]\n{'字' * 9_000}\n[[TAGS]]\n{tags}\n"

    with OpenAIServer(streaming([answer + cards + "[[END]]"])) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        task = ended(manager, start(runner, tmp_path, cards=2))

    assert (task.state, task.error) == ("completed", None)


def test_a_cancel_is_heeded_while_the_service_keeps_silent(
    manager: ProgressManager, runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(answering: Answering) -> None:
        answering.status(200, "text/event-stream")
        answering.event(delta("[[TITLE]]\n慢"))
        while not answering.server.go_on.wait(0.02):
            answering.write(": still there\n\n")

    with OpenAIServer(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        task_id = start(runner, tmp_path)
        eventually(lambda: (manager.get_task(task_id).details or {}).get("draft", {}).get("title"), 30)
        manager.cancel_task(task_id)

        assert ended(manager, task_id).state == "cancelled"
        assert server.was_left.wait(10)
    assert not (tmp_path / task_id).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topic", ""),
        ("topic", "   \n"),
        ("topic", "长" * 2_001),
        ("topic", 7),
        ("cards", 0),
        ("cards", 25),
        ("cards", 2.5),
        ("cards", True),
        ("style", "loud"),
        ("language", "fr"),
        ("seed", "7"),
        ("palette", "neon"),
    ],
)
def test_a_wish_that_can_not_be_granted_is_refused_by_name(field: str, value: object, tmp_path: Path) -> None:
    wish: dict[str, Any] = {"topic": "茶", "data_dir": tmp_path} | {field: value}

    with pytest.raises(InvalidValue) as caught:
        make_post(None, **wish)

    assert caught.value.field == field
    assert list(tmp_path.iterdir()) == []


def test_five_stages_are_declared_with_weights_and_a_name_in_either_language() -> None:
    assert [stage["name"] for stage in STAGES] == NAMES
    assert sum(stage["weight"] for stage in STAGES) == 100
    assert [stage["label"] for stage in stages("en")] == ["Title", "Text", "Tags", "Pictures", "Layout"]
