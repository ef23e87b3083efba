"""The processes that draw: real ones, killed for real."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from headway.demo.cards.card import Card
from headway.demo.cards.workers import PictureWorkers
from headway.demo.errors import PictureFailed
from tests.helpers import ROOT, eventually


@pytest.fixture
def workers() -> Iterator[PictureWorkers]:
    with PictureWorkers(2) as pool:
        yield pool


def request(folder: Path, number: int = 1, layout: str = "quote") -> dict[str, Any]:
    card = Card("写在胡同口", ("鸽哨一响，老北京就醒了。",), kind="quote", topic="胡同", scene="hutong")
    return {
        "make": "card",
        "card": card.as_json(),
        "layout": layout,
        "palette": "hutong",
        "seed": 1,
        "file": str(folder / f"card-{number:02d}.png"),
        "thumb": str(folder / f"thumb-{number:02d}.webp"),
    }


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_cards_are_drawn_and_nothing_half_written_stays(workers: PictureWorkers, tmp_path: Path) -> None:
    with workers.batch() as batch:
        answers = [batch.ask(request(tmp_path, number)) for number in (1, 2, 3)]
        assert all(answer.result(60)["ok"] for answer in answers)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("card-01.png", "card-02.png", "card-03.png"),
        *("thumb-01.webp", "thumb-02.webp", "thumb-03.webp"),
    ]
    with Image.open(tmp_path / "card-01.png") as card, Image.open(tmp_path / "thumb-01.webp") as thumb:
        assert (card.size, thumb.size) == ((1242, 1660), (248, 332))


def test_constructing_starts_no_process_and_pickles_to_a_pool_of_its_own() -> None:
    pool = PictureWorkers(2)
    copy = pickle.loads(pickle.dumps(pool))

    assert pool.pids == copy.pids == []
    pool.close()
    copy.close()


def test_a_process_that_is_killed_in_the_middle_costs_no_card(workers: PictureWorkers, tmp_path: Path) -> None:
    with workers.batch() as batch:
        answers = [batch.ask(request(tmp_path, number)) for number in range(1, 5)]
        eventually(lambda: workers.pids, 30)
        for pid in workers.pids:
            os.kill(pid, signal.SIGKILL)
        assert all(answer.result(60)["ok"] for answer in answers)


def test_a_card_on_which_processes_die_again_and_again_is_given_up(workers: PictureWorkers, tmp_path: Path) -> None:
    answer: Future[Any]
    with workers.batch() as batch:
        answer = batch.ask(request(tmp_path))

        def kill_all() -> bool:
            for pid in workers.pids:
                os.kill(pid, signal.SIGKILL)
            return answer.done()

        eventually(kill_all, 60)

    with pytest.raises(PictureFailed) as caught:
        answer.result()
    assert caught.value.code == "picture_worker_lost"


def test_dropping_a_batch_ends_its_processes_and_leaves_the_other_batch_alone(
    workers: PictureWorkers, tmp_path: Path
) -> None:
    (tmp_path / "kept").mkdir()
    dropped, kept = workers.batch(), workers.batch()
    unwanted = [dropped.ask(request(tmp_path, number)) for number in range(1, 9)]
    wanted = kept.ask(request(tmp_path / "kept"))

    dropped.drop()

    assert all(answer.done() for answer in unwanted)
    assert wanted.result(60)["ok"]
    assert any(
        answer.cancelled() or isinstance(answer.exception(), PictureFailed | CancelledError) for answer in unwanted
    )


def test_what_goes_wrong_in_a_drawing_is_told_and_the_process_draws_on(
    workers: PictureWorkers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with workers.batch() as batch:
        with pytest.raises(PictureFailed) as caught:
            batch.ask(request(tmp_path, layout="no such layout")).result(60)
        assert batch.ask(request(tmp_path)).result(60)["ok"]

    assert caught.value.code == "picture_failed"
    assert "no such layout" not in str(caught.value)
    assert "no such layout" in caplog.text


def test_after_close_no_process_is_left_and_nothing_is_taken(tmp_path: Path) -> None:
    pool = PictureWorkers(2)
    pool.batch().ask(request(tmp_path)).result(60)
    pids = pool.pids

    pool.close()

    assert pids
    assert all(is_gone(pid) for pid in pids)
    with pytest.raises(PictureFailed):
        pool.batch().ask(request(tmp_path))


def test_the_processes_are_given_no_secrets(
    workers: PictureWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HEADWAY_SECRET", "also secret")

    workers.batch().ask(request(tmp_path)).result(60)

    environment = Path(f"/proc/{workers.pids[0]}/environ").read_text()
    assert "secret" not in environment


def test_the_processes_end_with_the_server_however_it_ends(tmp_path: Path) -> None:
    program = """
import sys
from headway.demo.cards.workers import PictureWorkers
pool = PictureWorkers(1)
pool.batch().ask({"make": "ready"}).result(60)
print(*pool.pids, flush=True)
sys.stdin.read()
"""
    server = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert server.stdin is not None
    assert server.stdout is not None
    pids = [int(pid) for pid in server.stdout.readline().split()]

    server.kill()
    server.wait()
    server.stdin.close()
    server.stdout.close()

    assert len(pids) == 1
    eventually(lambda: is_gone(pids[0]))


def test_a_process_that_draws_ends_without_a_word_when_the_server_that_asked_is_gone() -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "headway.demo.cards.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdout.close()

    _, said = worker.communicate('{"make": "ready"}\n', timeout=60)

    assert (worker.returncode, said) == (0, "")


FORKED = """
import os
from headway.demo.cards.workers import PictureWorkers
pool = PictureWorkers(1)
pool.batch().ask({"make": "ready"}).result(60)
child = os.fork()
answer = pool.batch().ask({"make": "ready"}).result(60)
pool.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
print(answer["ok"], flush=True)
os._exit(0)
"""


def test_a_forked_process_has_processes_of_its_own() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], capture_output=True, text=True, cwd=ROOT, timeout=100, check=False
    )

    assert done.stdout.split() == ["True", "True"], done.stderr


def test_what_cannot_even_be_asked_for_fails_and_the_next_card_is_drawn(tmp_path: Path) -> None:
    with PictureWorkers(1) as pool:
        with pytest.raises(TypeError):
            pool.batch().ask({"make": object()}).result(60)

        assert pool.batch().ask(request(tmp_path)).result(60)["ok"]


def test_no_thread_stays_behind_a_closed_pool(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with PictureWorkers(2) as pool:
        pool.batch().ask(request(tmp_path)).result(60)

    assert not set(threading.enumerate()) - before


def test_a_process_ends_when_nothing_has_been_asked_for_a_while_and_another_begins_when_something_is(
    tmp_path: Path,
) -> None:
    before = set(threading.enumerate())
    with PictureWorkers(1, idle_s=0.1) as pool:
        assert pool.batch().ask(request(tmp_path)).result(60)["ok"]
        eventually(lambda: not pool.pids and not set(threading.enumerate()) - before)

        assert pool.batch().ask(request(tmp_path)).result(60)["ok"]


def test_a_pool_that_is_closed_in_the_middle_of_a_card_begins_no_other_process(tmp_path: Path) -> None:
    pool = PictureWorkers(1)
    answer = pool.batch().ask(request(tmp_path))
    eventually(lambda: pool.pids, 30)

    pool.close()

    assert pool.pids == []
    with pytest.raises(PictureFailed):
        answer.result(60)
