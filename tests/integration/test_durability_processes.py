"""What was acknowledged is there, and what was pending is stored: exits, forks, children, kills, locked files."""

from __future__ import annotations

import random
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway import ProgressManager
from tests.helpers import eventually
from tests.integration.worker_process import WorkerProcess


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tasks.db"


@pytest.fixture
def store(path: Path) -> str:
    return f"sqlite:///{path}"


REPORTS = """
manager = new_manager()
task_id = manager.create_task(total=1_000)
say(task_id)
for n in range(300):
    manager.update_progress(task_id, advance=1, message=str(n))
    manager.add_log(task_id, str(n))
"""


def check_reports(store: str, task_id: str, *, times: int = 300) -> None:
    with ProgressManager(store=store) as manager:
        task = manager.get_task(task_id)
        assert (task.completed, task.message) == (times, str(times - 1))
        assert [line.text for line in manager.read_log(task_id).lines] == [str(n) for n in range(times)]


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "sys.exit(0)",
        "threading.Thread(target=time.sleep, args=(0.1,)).start()",
        "del manager",
        "manager.close()",
        "import atexit; atexit.register(lambda: manager.update_progress(task_id, 50))",
    ],
)
def test_what_is_pending_is_stored_at_the_interpreters_exit(store: str, ending: str) -> None:
    with WorkerProcess(f"{REPORTS}\n{ending}", store) as process:
        task_id = process.heard()
        assert process.wait() == 0
    check_reports(store, task_id)


def test_an_uncaught_exception_fails_the_reporters_task_with_all_it_reported(store: str) -> None:
    program = """
sys.stderr = open(os.devnull, "w")
with new_manager().task(total=500) as task:
    say(task.task_id)
    for n in task.track(range(300)):
        task.log(str(n))
    raise RuntimeError("uncaught")
"""
    with WorkerProcess(program, store) as process:
        task_id = process.heard()
        assert process.wait() == 1
    with ProgressManager(store=store) as manager:
        task = manager.get_task(task_id)
        assert (task.state, task.completed, task.log_count) == ("failed", 300, 300)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_of_multiprocessing_stores_what_is_pending_when_it_ends(store: str, method: str) -> None:
    program = """
def report(manager, task_id):
    for n in range(300):
        manager.update_progress(task_id, advance=1, message=str(n))
        manager.add_log(task_id, str(n))

if __name__ == "__main__":
    manager = new_manager()
    task_id = manager.create_task(total=1_000)
    manager.update_progress(task_id, 1)  # The parent has opened it, and has threads.
    manager.get_task(task_id)
    child = multiprocessing.get_context(sys.argv[2]).Process(target=report, args=(manager, task_id))
    child.start()
    child.join()
    say(task_id, child.exitcode)
"""
    # A spawned child imports the main file again: it must be one.
    main = Path(store.removeprefix("sqlite:///")).with_name("main.py")
    from tests.integration.worker_process import PRELUDE

    main.write_text(PRELUDE + program)
    runner = f"import runpy; sys.argv[1:] = {[store, method]!r}; runpy.run_path({str(main)!r}, run_name='__main__')"
    if method == "fork":
        runner = program
    with WorkerProcess(runner, store, method) as process:
        task_id, exitcode = process.heard().split()
        assert exitcode == "0"
    check_reports(store, task_id)


def test_a_fork_between_reports_counts_nothing_twice_and_loses_nothing(store: str) -> None:
    program = """
manager = new_manager()
task_id = manager.create_task(total=10_000)
with manager.task("parent", total=10_000) as task:
    for n in range(20):
        for _ in range(10):
            task.advance()
            manager.update_progress(task_id, advance=1)
        pid = os.fork()
        if pid == 0:
            for _ in range(10):
                manager.update_progress(task_id, advance=1)
            manager.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    say(task_id, task.task_id)
"""
    with WorkerProcess(program, store) as process:
        shared, own = process.heard().split()
        assert process.wait() == 0
    with ProgressManager(store=store) as manager:
        assert manager.get_task(shared).completed == 400
        assert (manager.get_task(own).completed, manager.get_task(own).state) == (200, "completed")


def test_a_fork_while_other_threads_report_harms_neither_side(store: str) -> None:
    program = """
manager = new_manager()
task_id = manager.create_task(total=1_000_000)
done = threading.Event()
counts = [0] * 3
def report(mine):
    while not done.is_set():
        manager.update_progress(task_id, advance=1)
        counts[mine] += 1
threads = [threading.Thread(target=report, args=(n,)) for n in range(3)]
for thread in threads:
    thread.start()
for n in range(15):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)  # A deadlock would end it, with another code.
        child = manager.create_task()
        ok = manager.update_progress(child, 10) and manager.get_task(child).progress == 10
        ok = ok and not manager.is_cancelled(task_id) and manager.complete_task(child)
        manager.close()
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
done.set()
for thread in threads:
    thread.join()
say(task_id, sum(counts))
"""
    with WorkerProcess(program, store) as process:
        task_id, counted = process.heard().split()
        assert process.wait() == 0
    with ProgressManager(store=store) as manager:
        assert manager.get_task(task_id).completed == int(counted)
        assert len(manager.list_tasks(state="completed")) == 15


def test_a_forked_child_hears_of_a_cancel(store: str) -> None:
    program = """
manager = new_manager()
task_id = manager.create_task()
manager.update_progress(task_id, 1)
manager.get_task(task_id)
pid = os.fork()
if pid == 0:
    manager.update_progress(task_id, 2)
    say(task_id)
    while not manager.is_cancelled(task_id):
        time.sleep(0.01)
    say("cancelled")
    os._exit(0)
os.waitpid(pid, 0)
"""
    with WorkerProcess(program, store) as process, ProgressManager(store=store) as manager:
        task_id = process.heard()
        manager.cancel_task(task_id)
        assert process.heard() == "cancelled"


def test_what_a_killed_process_had_acknowledged_is_there(store: str) -> None:
    program = """
manager = new_manager()
ends = [
    ("completed", lambda task_id: manager.complete_task(task_id, result=task_id)),
    ("failed", lambda task_id: manager.fail_task(task_id, "x")),
    ("cancelled", manager.cancel_task),
]
while True:
    for state, end in ends:
        task_id = manager.create_task()
        say("pending", task_id)
        manager.update_progress(task_id, 10)
        end(task_id)
        say(state, task_id)
"""
    pause = random.Random(7)
    acknowledged: dict[str, str] = {}
    for _ in range(4):
        with WorkerProcess(program, store) as process:
            lines = [process.heard() for _ in range(pause.randint(5, 60))]
            process.signal(signal.SIGKILL)
            for line in [*lines, *process.rest()]:
                state, task_id = line.split()
                acknowledged[task_id] = state

    with ProgressManager(store=store) as manager:
        assert len(acknowledged) > 20
        for task_id, state in acknowledged.items():
            task = manager.get_task(task_id)
            assert state == "pending" or (task.state, task.result) == (
                state,
                task_id if state == "completed" else None,
            )


def test_a_file_that_is_locked_for_a_while_loses_nothing(path: Path, store: str) -> None:
    with ProgressManager(store=store) as manager, manager.task(total=10_000) as task:
        task.advance()
        manager.get_task(task.task_id)
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")

        for n in range(500):
            task.advance()
            task.log(str(n))
            task.update(message=str(n))
        locker.execute("ROLLBACK")
        locker.close()

        eventually(lambda: manager.store.get(task.task_id).completed == 501, saying="all is stored")
        assert [line.text for line in manager.read_log(task.task_id).lines] == [str(n) for n in range(500)]


def test_counts_of_threads_and_processes_add_up_exactly(store: str) -> None:
    program = """
from concurrent.futures import ThreadPoolExecutor
with new_manager() as manager:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: manager.update_progress(sys.argv[2], advance=1), range(2_000)))
"""
    with ProgressManager(store=store) as manager:
        task_id = manager.create_task(total=10_000)
        with WorkerProcess(program, store, task_id) as one, WorkerProcess(program, store, task_id) as other:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda n: manager.update_progress(task_id, advance=1), range(2_000)))
            assert one.wait() == other.wait() == 0

        assert manager.get_task(task_id).completed == 6_000


def test_reports_of_other_processes_are_seen_while_they_work(store: str) -> None:
    program = """
with new_manager() as manager:
    task_id = manager.create_task()
    say(task_id)
    for progress in range(1, 50):
        hear()
        manager.update_progress(task_id, progress)
"""
    with WorkerProcess(program, store) as process, ProgressManager(store=store) as manager:
        task_id = process.heard()
        for progress in range(1, 6):
            process.tell()
            eventually(lambda progress=progress: manager.get_task(task_id).progress == progress)  # type: ignore[misc]
