"""What every store promises (headway.model.ports.Store). One body for all: a new store adds one line to `ENGINES`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from headway.model import limits
from headway.model.change import LogLine
from headway.model.errors import InvalidValue, TaskExists, TaskNotFound
from headway.model.ports import Lease, Store, Swap, TaskQuery
from headway.model.stage import Stage
from headway.model.task import Task, TaskError
from headway.stores.memory import MemoryStore
from headway.stores.proxy import ProxyStore
from headway.stores.proxy_server import StoreServer
from headway.stores.redis import RedisStore
from headway.stores.sqlite import SqliteStore
from tests.helpers import eventually
from tests.redis_cluster import RedisCluster
from tests.redis_server import RedisServer, valkey_program

START = 1_800_000_000.0


class SetClock:
    """Wall time as the test sets it."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


Open = Callable[[], Store]


def memory(clock: SetClock, request: pytest.FixtureRequest) -> Open:
    return lambda: MemoryStore(clock=clock)


def sqlite(clock: SetClock, request: pytest.FixtureRequest) -> Open:
    folder: Path = request.getfixturevalue("tmp_path")
    return lambda: SqliteStore(folder / "headway.db", clock=clock)


def proxy(clock: SetClock, request: pytest.FixtureRequest) -> Open:
    server = StoreServer(MemoryStore(clock=clock))
    request.addfinalizer(server.close)
    return lambda: ProxyStore(server.address, server.key, clock=clock)


def redis(clock: SetClock, request: pytest.FixtureRequest) -> Open:
    server: RedisServer = request.getfixturevalue("redis_server")
    return lambda: RedisStore(server.url, clock=clock, uses_server_time=False)


def valkey(clock: SetClock, request: pytest.FixtureRequest) -> Open:
    server: RedisServer = request.getfixturevalue("valkey_server")
    server.flush()
    return lambda: RedisStore(server.url.replace("redis:", "valkey:"), clock=clock, uses_server_time=False)


def redis_cluster(clock: SetClock, request: pytest.FixtureRequest) -> Open:
    cluster: RedisCluster = request.getfixturevalue("redis_nodes")
    cluster.flush()
    return lambda: RedisStore(cluster.url, clock=clock, uses_server_time=False)


ENGINES = {"memory": memory, "sqlite": sqlite, "proxy": proxy, "redis": redis, "redis cluster": redis_cluster}
if valkey_program() is not None:  # Debian 12 has no package of it.
    ENGINES["valkey"] = valkey
shared_engines = pytest.mark.parametrize("engine", [name for name in ENGINES if name != "memory"], indirect=True)


@pytest.fixture(scope="module")
def redis_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster")).start()
    yield cluster
    cluster.kill()


@pytest.fixture(scope="module")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("valkey"), program=valkey_program()).start()
    yield server
    server.stop()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def open_store(engine: str, request: pytest.FixtureRequest, clock: SetClock) -> Iterator[Open]:
    """Opens the same store again and again (a memory store has nothing to open again)."""
    opened: list[Store] = []
    open_one = ENGINES[engine](clock, request)

    def opening() -> Store:
        opened.append(open_one())
        return opened[-1]

    yield opening
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> Store:
    return open_store()


def a_task(task_id: str = "task-1", **fields: object) -> Task:
    return replace(Task(task_id=task_id, created_at=START), **fields)  # type: ignore[arg-type]


def ended(store: Store, task_id: str, *, at: float, state: str = "completed") -> Task:
    task = store.create(a_task(task_id))
    if state == "completed":
        stored = store.swap(Swap(task, task.completing(at, result=None, message=None)))
    elif state == "failed":
        stored = store.swap(Swap(task, task.failing(at, TaskError("failed", "no"))))
    else:
        stored = store.swap(Swap(task, task.cancelled(at)))
    assert stored is not None
    return stored


def some_lines(count: int, start: int = 1) -> tuple[LogLine, ...]:
    return tuple(LogLine(0, START + n, "info", f"line {n}") for n in range(start, start + count))


def logged(store: Store, task: Task, count: int) -> Task:
    lines = some_lines(count, task.log_count + 1)
    stored = store.swap(Swap(task, replace(task, log_count=task.log_count + count), lines))
    assert stored is not None
    return stored


# --- Creating and reading --------------------------------------------------------------------------------------------


def test_a_created_task_reads_back_whole(store: Store) -> None:
    task = a_task(
        name="老北京胡同",
        stages=(Stage("title", "标题", 2.5), Stage("text")),
        metadata_json='{"a":[1,2]}',
        owner="ann",
        public=True,
        runner="local",
        job='{"fn":"x"}',
        error=TaskError("code", "message"),
        caller_details='{"current":"生成标题"}',
    )

    created = store.create(task)

    assert replace(created, rev=0, epoch="") == task
    assert store.get("task-1") == created


def test_the_first_rev_is_the_stores_time_in_ms(store: Store) -> None:
    assert store.create(a_task()).rev == int(START * 1000)


def test_what_is_read_carries_the_stores_time_and_epoch(store: Store, clock: SetClock) -> None:
    created = store.create(a_task(holder="h"))
    clock.now = START + 5

    read = [
        store.get("task-1"),
        store.get_many(["task-1"])["task-1"],
        store.list(TaskQuery()).tasks[0],
        store.held()[0],
    ]

    assert created.server_time == START
    assert [task.server_time for task in read] == [START + 5] * 4
    assert {task.epoch for task in read} == {store.epoch()} == {created.epoch}


def test_an_id_is_taken_once(store: Store) -> None:
    store.create(a_task(message="first"))

    with pytest.raises(TaskExists) as caught:
        store.create(a_task(message="second"))

    assert caught.value.task_id == "task-1"
    assert store.get("task-1").message == "first"


def test_an_unknown_id_is_not_found(store: Store) -> None:
    with pytest.raises(TaskNotFound):
        store.get("nobody")
    with pytest.raises(TaskNotFound):
        store.read_log("nobody")
    assert store.large_result("nobody") is None


def test_many_are_read_at_once_and_the_missing_left_out(store: Store) -> None:
    for n in range(5):
        store.create(a_task(f"task-{n}"))

    found = store.get_many(["task-1", "nobody", "task-3"])

    assert sorted(found) == ["task-1", "task-3"]
    assert found["task-3"].task_id == "task-3"
    assert store.get_many([]) == {}


def test_the_epoch_is_8_to_32_letters_and_digits_and_stays(store: Store) -> None:
    epoch = store.epoch()
    store.create(a_task())

    assert 8 <= len(epoch) <= 32
    assert epoch.isalnum()
    assert store.epoch() == epoch


def test_closed_and_opened_again_it_holds_what_was_stored(open_store: Open) -> None:
    first = open_store()
    created = logged(first, first.create(a_task()), 3)
    epoch = first.epoch()
    first.close()
    first.close()

    again = first if first.url is None else open_store()

    assert again.get("task-1") == created
    assert again.epoch() == epoch
    assert len(again.read_log("task-1").lines) == 3


def test_a_closed_store_opens_again_by_itself(store: Store) -> None:
    store.create(a_task())
    store.close()

    assert store.get("task-1").task_id == "task-1"


# --- Swapping --------------------------------------------------------------------------------------------------------


def test_a_swap_stores_the_next_value_under_a_higher_rev(store: Store, clock: SetClock) -> None:
    old = store.create(a_task())
    clock.now += 1

    new = store.swap(Swap(old, old.starting(clock.now, holder="h", confirms_cancel=True)))

    assert new is not None
    assert new.rev == int((START + 1) * 1000)
    assert store.get("task-1") == new
    assert (new.state, new.holder, new.worker) == ("running", "h", "alive")


def test_revs_rise_even_where_the_clock_stands_still_or_goes_back(store: Store, clock: SetClock) -> None:
    task = store.create(a_task())
    revs = [task.rev]

    for jump in (0, -3_600, -0.5, 0, 7_200, 0):
        clock.now += jump
        stored = store.swap(Swap(task, replace(task, message=f"at {clock.now}")))
        assert stored is not None
        task = stored
        revs.append(task.rev)

    assert revs == sorted(set(revs))


def test_a_task_that_takes_a_deleted_ones_id_goes_on_above_its_rev(store: Store, clock: SetClock) -> None:
    first = ended(store, "task-1", at=START)
    store.delete_task("task-1")
    clock.now -= 3_600

    assert store.create(a_task()).rev > first.rev


def test_a_swap_of_an_outdated_value_is_refused(store: Store) -> None:
    old = store.create(a_task())
    winner = store.swap(Swap(old, replace(old, message="first")))

    assert store.swap(Swap(old, replace(old, message="second"))) is None
    assert store.get("task-1") == winner


def test_a_swap_of_another_history_is_refused(store: Store) -> None:
    old = store.create(a_task())

    assert store.swap(Swap(replace(old, epoch="0123456789abcdef"), replace(old, message="no"))) is None


def test_a_swap_of_a_task_that_is_gone_is_refused(store: Store) -> None:
    old = ended(store, "task-1", at=START)
    store.delete_task("task-1")

    assert store.swap(Swap(old, replace(old, message="no"))) is None
    with pytest.raises(TaskNotFound):
        store.get("task-1")


def test_of_racing_writers_exactly_one_wins_each_rev(store: Store) -> None:
    store.create(a_task(completed=0))
    barrier = threading.Barrier(6)

    def add_twenty() -> None:
        barrier.wait()
        for _ in range(20):
            while True:
                old = store.get("task-1")
                if store.swap_many([Swap(old, replace(old, completed=(old.completed or 0) + 1))])[0]:
                    break

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(add_twenty) for _ in range(6)]:
            done.result()

    assert store.get("task-1").completed == 120


def test_of_racing_synced_writers_exactly_one_wins(store: Store) -> None:
    old = store.create(a_task())
    barrier = threading.Barrier(8)

    def finish(n: int) -> Task | None:
        barrier.wait()
        return store.swap(Swap(old, old.completing(START, result=str(n), message=None)))

    with ThreadPoolExecutor(8) as pool:
        won = [task for task in pool.map(finish, range(8)) if task is not None]

    assert len(won) == 1
    assert store.get("task-1") == won[0]


def test_many_swaps_each_stand_for_themselves(store: Store) -> None:
    tasks = [store.create(a_task(f"task-{n}")) for n in range(4)]
    store.swap(Swap(tasks[1], replace(tasks[1], message="someone else")))
    gone = ended(store, "gone", at=START)
    store.delete_task("gone")

    swapped = store.swap_many([Swap(task, replace(task, message="mine")) for task in [*tasks, gone]])

    assert [task.message if task else None for task in swapped] == ["mine", None, "mine", "mine", None]
    assert store.get("task-1").message == "someone else"
    assert store.get("task-3") == swapped[3]
    assert store.swap_many([]) == []


# --- Logs and results ------------------------------------------------------------------------------------------------


def test_log_lines_are_numbered_without_a_gap(store: Store) -> None:
    task = store.create(a_task())
    for count in (3, 1, 250, 6):
        task = logged(store, task, count)

    page = store.read_log("task-1")

    assert [line.n for line in page.lines] == list(range(1, 261))
    assert [line.text for line in page.lines] == [f"line {n}" for n in range(1, 261)]
    assert page.lines[4] == LogLine(5, START + 5, "info", "line 5")
    assert page.truncated_before is None


def test_a_log_is_read_from_any_line_in_pages(store: Store) -> None:
    logged(store, store.create(a_task()), 30)

    assert [line.n for line in store.read_log("task-1", 12, 5).lines] == [12, 13, 14, 15, 16]
    assert [line.n for line in store.read_log("task-1", 29, 5).lines] == [29, 30]
    assert store.read_log("task-1", 31).lines == ()
    assert [line.n for line in store.read_log("task-1", 0, 1).lines] == [1]
    assert store.read_log("task-1", 0, 1).truncated_before is None


def test_a_refused_swap_leaves_no_log_and_no_result(store: Store) -> None:
    old = store.create(a_task())
    store.swap(Swap(old, replace(old, message="first")))

    store.swap(Swap(old, replace(old, log_count=1, has_large_result=True), some_lines(1), '"large"'))

    assert store.read_log("task-1").lines == ()
    assert store.large_result("task-1") is None


def test_a_log_keeps_the_newest_and_says_what_is_gone(store: Store) -> None:
    task = store.create(a_task())
    for _ in range(5):
        task = logged(store, task, 2_100)
    first_kept = task.log_count - limits.LOG_LINES + 1

    from_start = store.read_log("task-1", 1, 2)
    at_the_edge = store.read_log("task-1", first_kept, 2)

    assert [line.n for line in from_start.lines] == [first_kept, first_kept + 1]
    assert from_start.truncated_before == first_kept
    assert [line.n for line in at_the_edge.lines] == [first_kept, first_kept + 1]
    assert at_the_edge.truncated_before is None
    assert [line.n for line in store.read_log("task-1", task.log_count).lines] == [task.log_count]


def test_a_large_result_is_kept_beside_the_task(store: Store) -> None:
    task = store.create(a_task())
    result = '"' + "胡同" * 100_000 + '"'

    stored = store.swap(Swap(task, task.completing(START, result=result, message=None), large_result=result))

    assert stored is not None
    assert stored.has_large_result
    assert stored.inline_result is None
    assert store.large_result("task-1") == result


def test_another_attempt_has_no_result_of_the_one_before(store: Store) -> None:
    task = store.create(a_task())
    result = '"' + "x" * 20_000 + '"'
    done = store.swap(Swap(task, task.completing(START, result=result, message=None), large_result=result))
    assert done is not None

    store.swap(Swap(done, replace(done, state="pending", attempt=2, has_large_result=False)))

    assert store.large_result("task-1") is None


# --- Listing ---------------------------------------------------------------------------------------------------------


def ids(tasks: Sequence[Task]) -> list[str]:
    return [task.task_id for task in tasks]


def all_pages(store: Store, query: TaskQuery) -> list[str]:
    found: list[str] = []
    while True:
        page = store.list(query)
        assert len(page) <= query.limit
        found += ids(page.tasks)
        if page.next_cursor is None:
            return found
        query = replace(query, cursor=page.next_cursor)


def test_the_newest_come_first_page_by_page(store: Store) -> None:
    for n in range(10):
        store.create(a_task(f"task-{n}", created_at=START + n // 2))

    assert ids(store.list(TaskQuery(limit=3)).tasks) == ["task-9", "task-8", "task-7"]
    assert all_pages(store, TaskQuery(limit=3)) == [f"task-{n}" for n in range(9, -1, -1)]
    assert all_pages(store, TaskQuery(limit=10)) == [f"task-{n}" for n in range(9, -1, -1)]


def test_pages_stay_in_step_while_tasks_come_and_go(store: Store) -> None:
    for n in range(6):
        ended(store, f"task-{n}", at=START) if n == 4 else store.create(a_task(f"task-{n}", created_at=START + n))
    first = store.list(TaskQuery(limit=2))

    store.create(a_task("newer", created_at=START + 100))
    store.delete_task("task-4")
    second = store.list(TaskQuery(limit=10, cursor=first.next_cursor))

    assert ids(first.tasks) == ["task-5", "task-3"]
    assert ids(second.tasks) == ["task-2", "task-1", "task-0"]


def test_a_list_is_filtered_by_states_and_owner(store: Store) -> None:
    for n in range(4):
        store.create(a_task(f"ann-{n}", owner="ann", created_at=START + n))
        store.create(a_task(f"bob-{n}", owner="bob", created_at=START + n))
    for task_id, state in (("ann-1", "completed"), ("ann-2", "failed"), ("bob-2", "failed")):
        task = store.get(task_id)
        new = task.completing(START, result=None, message=None)
        store.swap(Swap(task, new if state == "completed" else task.failing(START, TaskError("x", "y"))))

    assert ids(store.list(TaskQuery(owner="ann")).tasks) == ["ann-3", "ann-2", "ann-1", "ann-0"]
    assert ids(store.list(TaskQuery(states=("failed",))).tasks) == ["bob-2", "ann-2"]
    assert ids(store.list(TaskQuery(states=("failed", "completed"), owner="ann")).tasks) == ["ann-2", "ann-1"]
    assert all_pages(store, TaskQuery(states=("pending",), owner="bob", limit=1)) == ["bob-3", "bob-1", "bob-0"]
    assert store.list(TaskQuery(owner="nobody")).tasks == ()


def test_a_search_finds_parts_of_id_name_and_message(store: Store) -> None:
    store.create(a_task("by-id-Needle-1", created_at=START))
    store.create(a_task("two", name="a NEEDLE in the name", created_at=START + 1))
    store.create(a_task("three", message="正在生成needle文案", created_at=START + 2))
    store.create(a_task("four", name="other", message="100% of a_b", created_at=START + 3))

    assert all_pages(store, TaskQuery(search="needle", limit=1)) == ["three", "two", "by-id-Needle-1"]
    assert ids(store.list(TaskQuery(search="生成")).tasks) == ["three"]
    assert ids(store.list(TaskQuery(search="0% o")).tasks) == ["four"]
    assert ids(store.list(TaskQuery(search="a_b")).tasks) == ["four"]
    assert store.list(TaskQuery(search="aXb")).tasks == ()
    assert len(store.list(TaskQuery(search=""))) == 4


def test_the_longest_running_and_the_stuck_come_first_among_the_active(store: Store) -> None:
    for task_id, created, started, updated in (
        ("old", 0, 1, 50),
        ("young", 2, 30, 40),
        ("waiting", 20, None, None),
        ("ended", 0, 0, 0),
    ):
        task = store.create(a_task(task_id, created_at=START + created))
        new = replace(
            task,
            state="completed" if task_id == "ended" else "pending" if started is None else "running",
            started_at=None if started is None else START + started,
            updated_at=None if updated is None else START + updated,
        )
        store.swap(Swap(task, new))

    assert all_pages(store, TaskQuery(order="longest", limit=1)) == ["old", "waiting", "young"]
    assert all_pages(store, TaskQuery(order="stuck", limit=1)) == ["waiting", "young", "old"]
    assert ids(store.list(TaskQuery(order="stuck", states=("running", "completed"))).tasks) == ["young", "old"]
    assert store.list(TaskQuery(order="longest", states=("completed",))).tasks == ()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (TaskQuery(cursor="rubbish"), "cursor"),
        (TaskQuery(cursor=""), "cursor"),
        (TaskQuery(cursor="WyJuZXdlc3QiXQ"), "cursor"),
        (TaskQuery(cursor="é"), "cursor"),
        (TaskQuery(cursor="x" * 5_000), "cursor"),
        (TaskQuery(limit=0), "limit"),
        (TaskQuery(limit=501), "limit"),
        (TaskQuery(states=("asleep",)), "state"),  # type: ignore[arg-type]
        (TaskQuery(order="oldest"), "order"),  # type: ignore[arg-type]
        (TaskQuery(search="x" * 201), "search"),
    ],
)
def test_a_listing_that_makes_no_sense_is_refused(store: Store, query: TaskQuery, field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        store.list(query)

    assert caught.value.field == field


def test_a_cursor_of_another_order_is_refused(store: Store) -> None:
    for n in range(3):
        store.create(a_task(f"task-{n}"))
    cursor = store.list(TaskQuery(limit=1)).next_cursor

    with pytest.raises(InvalidValue):
        store.list(TaskQuery(order="stuck", cursor=cursor))


# --- Deleting --------------------------------------------------------------------------------------------------------


def test_what_finished_before_a_time_is_deleted_with_its_log_and_result(store: Store) -> None:
    old = ended(store, "old", at=START - 100)
    old = logged(store, old, 3)
    store.swap(Swap(old, replace(old, has_large_result=True), large_result='"large"'))
    ended(store, "new", at=START)
    store.create(a_task("alive", created_at=START - 1_000))

    assert store.delete(finished_before=START - 50) == 1

    assert all_pages(store, TaskQuery()) == ["new", "alive"] or all_pages(store, TaskQuery()) == ["alive", "new"]
    assert store.large_result("old") is None
    with pytest.raises(TaskNotFound):
        store.read_log("old")
    store.create(a_task("old"))
    assert store.read_log("old").lines == ()


def test_deleting_can_be_confined_to_states(store: Store) -> None:
    for n, state in enumerate(("completed", "failed", "cancelled")):
        ended(store, state, at=START - n, state=state)

    assert store.delete(finished_before=START + 1, states=["failed", "cancelled"]) == 2
    assert all_pages(store, TaskQuery()) == ["completed"]


def test_the_newest_final_ones_are_kept_when_asked(store: Store) -> None:
    for n in range(6):
        ended(store, f"task-{n}", at=START + n)
    store.create(a_task("alive"))

    assert store.delete(keep=2) == 4
    assert sorted(all_pages(store, TaskQuery())) == ["alive", "task-4", "task-5"]
    assert store.delete(keep=2) == 0
    assert store.delete(keep=0) == 2
    assert store.delete() == 0


def test_age_and_number_together_delete_what_either_does(store: Store) -> None:
    for n in range(6):
        ended(store, f"task-{n}", at=START + n)

    assert store.delete(finished_before=START + 1.5, keep=3) == 3
    assert sorted(all_pages(store, TaskQuery())) == ["task-3", "task-4", "task-5"]


def test_more_than_one_batch_is_deleted_whole(store: Store) -> None:
    tasks = [store.create(a_task(f"task-{n}")) for n in range(510)]
    store.swap_many([Swap(task, task.completing(START, result=None, message=None)) for task in tasks])

    assert store.delete(finished_before=START + 1) == 510
    assert store.list(TaskQuery()).tasks == ()


def test_one_task_is_deleted_only_once_it_has_ended(store: Store) -> None:
    store.create(a_task("alive"))
    ended(store, "done", at=START)

    assert store.delete_task("alive") is False
    assert store.delete_task("done") is True
    assert store.delete_task("done") is False
    assert all_pages(store, TaskQuery()) == ["alive"]


# --- Leases ----------------------------------------------------------------------------------------------------------


def test_a_lease_is_renewed_and_dropped(store: Store) -> None:
    lease = Lease("lease-1", "host", 4711, "12345.6", 1, 15.0)
    store.renew(lease)
    store.renew(replace(lease, beat=2))
    store.renew(replace(lease, lease_id="lease-2"))

    assert {found.lease_id: found for found in store.leases()} == {
        "lease-1": replace(lease, beat=2),
        "lease-2": replace(lease, lease_id="lease-2"),
    }

    store.drop_lease("lease-1")
    store.drop_lease("nobody")

    assert [found.lease_id for found in store.leases()] == ["lease-2"]


def test_the_held_are_found_by_their_holder(store: Store) -> None:
    for n in range(4):
        task = store.create(a_task(f"task-{n}"))
        if n:
            store.swap(Swap(task, task.starting(START, holder=f"lease-{n % 2}")))
    task = store.get("task-3")
    store.swap(Swap(task, task.completing(START, result=None, message=None)))

    assert sorted(ids(store.held())) == ["task-1", "task-2"]
    assert ids(store.held("lease-1")) == ["task-1"]
    assert ids(store.held("nobody")) == []


# --- Notification ----------------------------------------------------------------------------------------------------


class Recorder:
    """What a subscriber was told."""

    def __init__(self, store: Store) -> None:
        self.tasks: list[Task] = []
        self.resets = 0
        self.end = store.subscribe(self.tasks.extend, self._on_reset)

    def _on_reset(self) -> None:
        self.resets += 1


def test_own_changes_are_told_as_they_are_stored(store: Store) -> None:
    recorder = Recorder(store)

    created = store.create(a_task())
    changed = store.swap(Swap(created, replace(created, message="changed")))
    also = store.swap_many([Swap(changed, replace(changed, message="again"))] if changed else [])

    eventually(lambda: "again" in [task.message for task in recorder.tasks])
    assert next(task for task in recorder.tasks if task.message == "changed") == changed
    assert next(task for task in recorder.tasks if task.message == "again") == also[0]
    assert recorder.tasks[0].server_time is not None
    recorder.end()


def test_refused_swaps_and_renewed_leases_are_not_told(store: Store) -> None:
    created = store.create(a_task())
    recorder = Recorder(store)

    store.swap(Swap(replace(created, rev=1), replace(created, message="no")))
    store.renew(Lease("lease-1", "host", 1, "1", 1, 15.0))
    store.swap(Swap(created, replace(created, message="yes")))

    eventually(lambda: recorder.tasks)
    assert {task.message for task in recorder.tasks} == {"yes"}
    recorder.end()


def test_who_has_ended_the_subscription_is_told_nothing_more(store: Store) -> None:
    first, second = Recorder(store), Recorder(store)
    first.end()
    first.end()

    store.create(a_task())

    eventually(lambda: second.tasks)
    assert first.tasks == []
    second.end()


def test_a_subscriber_that_raises_harms_neither_the_writer_nor_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(tasks: Sequence[Task]) -> None:
        raise RuntimeError("a bad subscriber")

    store.subscribe(fail, lambda: None)
    recorder = Recorder(store)

    store.create(a_task())

    eventually(lambda: recorder.tasks)
    eventually(lambda: "a bad subscriber" in caplog.text)


@shared_engines
def test_changes_made_through_another_handle_are_told(open_store: Open) -> None:
    store = open_store()
    recorder, other = Recorder(store), open_store()

    task = other.create(a_task())
    for n in range(3):
        swapped = other.swap_many([Swap(task, replace(task, message=f"step {n}"))])[0]
        assert swapped is not None
        task = swapped

    eventually(lambda: task in recorder.tasks)
    recorder.end()


def test_who_chooses_is_told_of_what_is_watched(store: Store) -> None:
    tasks: list[Task] = []
    following = store.subscribe(tasks.extend, lambda: None, selective=True)
    created = store.create(a_task())
    following.watch(created.task_id)
    following.watch(created.task_id)

    store.swap(Swap(created, replace(created, message="seen")))

    eventually(lambda: tasks and tasks[-1].message == "seen")
    following.unwatch(created.task_id)
    following.unwatch(created.task_id)
    following()
    following()
    following.watch(created.task_id)


@shared_engines
def test_what_others_change_is_told_to_who_chose_it(open_store: Open, engine: str) -> None:
    store, other = open_store(), open_store()
    tasks: list[Task] = []
    following = store.subscribe(tasks.extend, lambda: None, selective=True)
    watched, ignored = other.create(a_task("watched")), other.create(a_task("ignored"))
    following.watch("watched")

    for n in range(3):
        watched = change(other, watched, f"step {n}")
        ignored = change(other, ignored, f"step {n}")

    eventually(lambda: watched in tasks)
    # A process that holds the store of its parent is sent everything.
    assert engine == "proxy" or ids(tasks) == ["watched"] * len(tasks)
    following.unwatch("watched")
    following.watch("ignored")
    ignored = change(other, ignored, "last")
    eventually(lambda: ignored in tasks)
    following()


@shared_engines
def test_who_watches_and_then_reads_misses_nothing_between_the_two(open_store: Open) -> None:
    """However fast the other writes: what is newer than what was read is told, without another change."""
    store, other = open_store(), open_store()
    tasks: dict[str, Task] = {}
    following = store.subscribe(
        lambda told: tasks.update((task.task_id, task) for task in told), lambda: None, selective=True
    )

    for n in range(30):
        task = other.create(a_task(f"task-{n}"))
        following.watch(task.task_id)
        read = store.get(task.task_id)
        last = change(other, task, "after the read")
        eventually(
            lambda last=last, read=read: last.rev <= max(read.rev, getattr(tasks.get(last.task_id), "rev", 0)),  # type: ignore[misc]
            saying=f"change {n} is told",
        )
    following()


@shared_engines
def test_who_wants_all_and_who_chooses_may_come_and_go(open_store: Open) -> None:
    store, other = open_store(), open_store()
    chosen: list[Task] = []
    following = store.subscribe(chosen.extend, lambda: None, selective=True)
    task, unwatched = other.create(a_task("watched")), other.create(a_task("unwatched"))
    following.watch("watched")
    store.get("watched")  # As everybody does who watches: what is stored after that is told.
    task = change(other, task, "first")
    eventually(lambda: task in chosen)

    recorder = Recorder(store)
    unwatched = change(other, unwatched, "all are heard from the moment that this returned")
    eventually(lambda: unwatched in recorder.tasks)
    task = change(other, task, "second")
    eventually(lambda: task in chosen and task in recorder.tasks)

    recorder.end()
    task = change(other, task, "third")
    eventually(lambda: task in chosen)
    following()


def change(store: Store, task: Task, message: str) -> Task:
    stored = store.swap(Swap(task, replace(task, message=message)))
    assert stored is not None
    return stored


@shared_engines
def test_more_changes_than_are_read_at_once_are_all_told_elsewhere(open_store: Open) -> None:
    store = open_store()
    other = open_store()
    tasks = [store.create(a_task(f"task-{n}")) for n in range(1_100)]
    recorder = Recorder(other)

    store.swap_many([Swap(task, replace(task, message="new")) for task in tasks])

    eventually(lambda: len({task.task_id for task in recorder.tasks if task.message == "new"}) == 1_100)
    recorder.end()
