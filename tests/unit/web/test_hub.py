"""What viewers see of watched tasks: rising, newest first, ended by the end, and never more than they can take."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from headway.model.errors import StoreUnavailable
from headway.web.frames import Frame
from headway.web.protocol import Connection
from headway.web.request import Request
from tests.unit.web.samples import FakeOutlet, outlet_of, world


def test_a_joiner_gets_the_current_state_and_then_what_is_newer() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.report(task_id, progress=10)

        viewer = w.join(task_id)
        w.report(task_id, progress=20)
        w.manager.complete_task(task_id)
        w.deliver()

        assert [(state["state"], state["progress"]) for state in viewer.states] == [
            ("running", 10),
            ("running", 20),
            ("completed", 100),
        ]
        assert [state["rev"] for state in viewer.states] == sorted({state["rev"] for state in viewer.states})


def test_a_repeated_join_repeats_the_state_and_nothing_else_does() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        connection = w.connect()
        for _ in range(2):
            w.protocol.join(connection, Request(), task_id, None)
            w.deliver()

        w.hub.take((w.manager.get_task(task_id),))
        w.hub.heal()
        w.deliver()

        assert len(outlet_of(connection).states) == 2


def test_changes_that_come_twice_or_out_of_order_are_passed_over() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        stored = w.manager.get_task(task_id)
        newest = dataclasses.replace(stored, state="running", progress=50, rev=stored.rev + 10)
        older = dataclasses.replace(stored, state="running", progress=40, rev=stored.rev + 5)

        w.hub.take((newest, older))
        w.hub.take((older,))
        w.hub.take((newest,))
        w.deliver()

        assert [state["progress"] for state in viewer.states] == [0, 50]


def test_nothing_comes_of_tasks_that_were_not_joined_or_were_left() -> None:
    with world() as w:
        mine, other = w.manager.create_task(), w.manager.create_task()
        connection = w.connect()
        w.protocol.join(connection, Request(), mine, None)
        w.deliver()
        w.report(other, progress=5)
        w.hub.leave(connection, mine)
        w.hub.leave(connection, "never-joined")
        w.report(mine, progress=5)

        assert [state["task_id"] for state in outlet_of(connection).states] == [mine]
        assert w.hub.counts() == (0, 0)


def test_a_slow_viewer_skips_states_and_ends_with_the_final_one() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        slow, fast = w.join(task_id), w.join(task_id)
        slow.is_slow = True
        for progress in (10, 20, 30):
            w.report(task_id, progress=progress)
            w.clock.advance(0.1)
            w.deliver()
        w.manager.complete_task(task_id)
        w.deliver()
        slow.is_slow = False
        w.clock.advance(0.1)
        w.deliver()

        assert [state["progress"] for state in fast.states] == [0, 10, 20, 30, 100]
        assert [state["progress"] for state in slow.states] == [0, 100]
        assert w.hub.stats.skipped > 0


def test_a_slow_viewer_is_tried_again_by_itself() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        viewer.is_slow = True
        w.report(task_id, progress=10)

        delay = w.deliver()

        assert delay is not None
        assert 0 < delay <= 0.1


def test_several_writers_are_shown_at_most_twenty_times_a_second_but_an_end_at_once() -> None:
    with world(max_rate=20) as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        stored = w.manager.get_task(task_id)
        for turn in range(1, 501):
            w.clock.advance(0.004)
            state = dataclasses.replace(stored, state="running", progress=turn / 10, rev=stored.rev + turn)
            w.hub.take((state,))
            w.deliver()
        in_two_seconds = len(viewer.states)
        w.hub.take((dataclasses.replace(stored, state="failed", rev=stored.rev + 501),))
        w.deliver()

        assert 35 <= in_two_seconds <= 44
        assert viewer.states[-1]["state"] == "failed"


def test_twenty_a_second_from_one_writer_are_hardly_delayed_however_they_jitter() -> None:
    with world(max_rate=20) as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        stored = w.manager.get_task(task_id)
        start = w.clock.monotonic()
        for turn in range(1, 101):
            w.clock.advance(start + turn * 0.05 + (0.002 if turn % 2 else -0.002) - w.clock.monotonic())
            w.hub.take((dataclasses.replace(stored, state="running", progress=turn / 2, rev=stored.rev + turn),))
            delay = w.deliver() or 0
            w.clock.advance(delay)
            w.deliver()

            assert viewer.states[-1]["progress"] == turn / 2
            assert delay < 0.01


def test_a_late_state_is_delivered_when_its_time_has_come() -> None:
    with world(max_rate=20) as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        stored = w.manager.get_task(task_id)
        delays = []
        for turn in range(1, 6):
            w.hub.take((dataclasses.replace(stored, state="running", progress=turn, rev=stored.rev + turn),))
            delays.append(w.deliver())
        w.clock.advance(delays[-1] or 0)
        w.deliver()

        assert delays[-1] is not None
        assert viewer.states[-1]["progress"] == 5


def test_a_lost_notification_heals() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        w.hub.close()
        w.manager.complete_task(task_id)
        w.deliver()
        assert len(viewer.states) == 1

        w.hub.heal()
        w.deliver()

        assert viewer.states[-1]["state"] == "completed"
        assert w.hub.stats.healed == 1


@pytest.mark.parametrize("change", [{"state": "running", "progress": 30}, {"state": "completed", "progress": 100}])
def test_a_retry_that_the_store_has_lost_is_written_again_where_nobody_else_does(change: dict[str, object]) -> None:
    """As after a fail-over of Redis that took a retry, and its worker with it."""
    with world() as w:
        task_id = w.manager.create_task()
        w.manager.fail_task(task_id, "no route")
        viewer = w.join(task_id)
        first = w.manager.get_task(task_id)
        lost = dataclasses.replace(first, attempt=2, error=None, rev=first.rev + 10, **change)  # type: ignore[arg-type]
        w.hub.take((lost,))
        w.deliver()

        w.hub.heal()
        assert w.manager.get_task(task_id).attempt == 1, "who runs it may write it again"
        w.clock.advance(3)
        w.hub.heal()
        w.deliver()

        stored = w.manager.get_task(task_id)
        assert (stored.attempt, stored.state, stored.progress) == (2, change["state"], change["progress"])
        assert stored.rev > lost.rev
        assert {state["attempt"] for state in viewer.states[1:]} == {2}


def test_an_end_that_the_store_has_lost_is_written_again_where_nobody_else_does() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.join(task_id)
        pending = w.manager.get_task(task_id)
        w.hub.take((dataclasses.replace(pending, state="completed", progress=100, rev=pending.rev + 10),))

        w.hub.heal()
        w.clock.advance(3)
        w.hub.heal()

        assert w.manager.get_task(task_id).state == "completed"


def test_another_history_is_followed_although_its_revs_are_lower() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewer = w.join(task_id)
        stored = w.manager.get_task(task_id)
        other = dataclasses.replace(stored, epoch="anotherhistory", rev=5)
        store = w.manager.store

        w.hub.take((other,))
        w.deliver()
        assert len(viewer.states) == 1, "not the store's epoch: an old notification"

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "epoch", lambda: "anotherhistory")
            w.hub.take((other,))
        w.deliver()

        assert [(state["epoch"], state["rev"]) for state in viewer.states][-1] == ("anotherhistory", 5)


def test_a_reset_of_the_store_has_the_driver_heal() -> None:
    with world() as w:
        w.hub.reset()

        assert w.driver.heals == 1


def test_viewers_of_a_task_that_vanished_are_told_unless_it_had_ended() -> None:
    with world() as w:
        lost, ended = w.manager.create_task(), w.manager.create_task()
        viewer = w.join(lost)
        content = w.join(ended)
        w.manager.complete_task(ended)
        w.deliver()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager.store, "get_many", lambda ids: {})
            w.hub.heal()

        assert viewer.of("error") == [
            {"code": "task_not_found", "message": f"there is no task {lost!r}", "task_id": lost}
        ]
        assert content.of("error") == []
        assert w.hub.counts() == (0, 0)


def test_a_viewer_that_was_slow_has_the_end_still_though_the_task_is_gone_from_the_store() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        slow, fast = w.join(task_id), w.join(task_id)
        slow.is_slow = True
        w.manager.complete_task(task_id)
        w.deliver()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager.store, "get_many", lambda ids: {})
            w.hub.heal()
            slow.is_slow = False
            w.clock.advance(0.1)
            w.deliver()

            assert [state["state"] for state in slow.states] == [state["state"] for state in fast.states]
            assert slow.of("error") == []
            w.hub.heal()
        assert w.hub.counts() == (0, 0)


def test_viewers_are_told_once_that_the_store_can_not_be_reached() -> None:
    with world() as w:
        viewer = w.join(w.manager.create_task())

        def gone(ids: object) -> object:
            raise StoreUnavailable("down")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager.store, "get_many", gone)
            w.hub.heal()
            w.hub.heal()
        w.hub.heal()

        assert [error["code"] for error in viewer.of("error")] == ["unavailable"]


def test_made_up_ids_leave_nothing_behind() -> None:
    with world() as w:
        connection = w.connect()
        for n in range(1_000):
            w.say(connection, f'2/progress,["join",{{"task_id":"made-up-{n}"}}]')
            w.clock.advance(0.02)

        assert w.hub.counts() == (0, 0)
        assert connection.subscriptions == {}
        assert {error["code"] for error in outlet_of(connection).of("error")} == {"task_not_found"}


def test_a_viewer_whose_way_out_is_broken_is_dropped_and_the_others_are_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakeOutlet):
        def offer(self, frame: Frame) -> bool:
            raise OSError("boom")

    with world() as w:
        task_id = w.manager.create_task()
        w.protocol.join(Connection(Request(), Broken()), Request(), task_id, None)
        viewer = w.join(task_id)
        w.report(task_id, progress=5)

        assert len(viewer.states) == 2
        assert w.hub.counts() == (1, 1)
        assert "boom" in caplog.text


def test_one_frame_is_encoded_for_all_viewers() -> None:
    class Keeping(FakeOutlet):
        def offer(self, frame: Frame) -> bool:
            frames.append(frame)
            return True

    frames: list[Frame] = []
    with world() as w:
        task_id = w.manager.create_task()
        for _ in range(10):
            w.protocol.join(Connection(Request(), Keeping()), Request(), task_id, None)
        w.deliver()
        w.report(task_id, progress=5)

        assert len({id(frame) for frame in frames[10:]}) == 1


def test_the_time_in_a_frame_is_that_of_its_sending() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        first = w.join(task_id)
        w.clock.advance(30)
        second = w.join(task_id)

        assert second.states[0]["server_time"] - first.states[0]["server_time"] == pytest.approx(30)


def test_a_large_room_is_served_in_portions() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        viewers = [w.join(task_id) for _ in range(100)]
        w.manager.complete_task(task_id)

        turns = 0
        while w.hub.deliver(0) == 0:
            turns += 1

        assert turns > 2
        assert all(viewer.states[-1]["state"] == "completed" for viewer in viewers)


def test_joining_a_watched_task_does_not_read_the_store() -> None:
    with world() as w:
        task_id = w.manager.create_task()
        w.join(task_id)
        assert w.hub.knows(task_id)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(w.manager, "get_task", lambda task_id: pytest.fail("read the store"))
            viewer = w.join(task_id)

        assert len(viewer.states) == 1


def test_joins_leaves_and_changes_may_race() -> None:
    with world() as w:
        tasks = [w.manager.create_task() for _ in range(5)]
        stop = threading.Event()

        def come_and_go() -> None:
            while not stop.is_set():
                connection = w.connect()
                for task_id in tasks:
                    w.protocol.join(connection, Request(), task_id, 1)
                w.hub.leave(connection, tasks[0])
                w.protocol.forget(connection)

        threads = [threading.Thread(target=come_and_go) for _ in range(4)]
        for thread in threads:
            thread.start()
        viewers = [w.join(task_id) for task_id in tasks]
        for progress in range(1, 40):
            for task_id in tasks:
                w.report(task_id, progress=progress)
        for task_id in tasks:
            w.manager.complete_task(task_id)
        w.deliver()
        stop.set()
        for thread in threads:
            thread.join()
        w.deliver()

        assert all(viewer.states[-1]["state"] == "completed" for viewer in viewers)
        assert w.hub.counts() == (5, 5)
