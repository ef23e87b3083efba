"""The checker is silent about a sound system, and catches each planted fault: else its silence would mean nothing."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from headway.model.task import Task
from tests.chaos.broken import VARIANTS, Variant
from tests.chaos.inside import House
from tests.chaos.ledger import Entry, Ledger, mark_in
from tests.chaos.plan import Plan
from tests.invariants import violations


def play(house: House) -> Ledger:
    """Two tasks, early and late viewers, one who leaves and comes back; everything ends."""
    manager, ledger = house.manager, Ledger()
    one, other = manager.create_task(total=10), manager.create_task()
    epoch = manager.store.epoch()
    for task_id in (one, other):
        ledger.take(Entry(op="create", task_id=task_id, epoch=epoch))
    house.connect("ann")
    house.connect("bob")
    house.join("ann", one, log_from=1)
    house.join("bob", other)
    for turn in range(1, 7):
        manager.add_log(one, f"line {turn}")
        manager.update_progress(one, completed=turn)
        manager.update_progress(other, progress=turn * 10)
        for task_id in (one, other):
            manager.get_task(task_id)
        house.driver.turn()
        if turn == 3:
            house.join("bob", one)
    house.leave("bob", other)
    manager.update_progress(other, progress=80)
    manager.get_task(other)
    house.driver.turn()
    house.ask("ann", "ping", {})
    assert manager.complete_task(one, {"mark": "m"})
    ledger.take(Entry(op="end", task_id=one, epoch=epoch, attempt=1, state="completed", mark="m"))
    house.driver.turn()
    house.join("bob", other)
    assert manager.cancel_task(other)
    ledger.take(Entry(op="cancel", task_id=other, epoch=epoch, attempt=1))
    assert not manager.update_progress(other, progress=99)
    ledger.take(Entry(op="over", task_id=other, epoch=epoch, attempt=1))
    house.connect("eve")
    house.join("eve", one, log_from=3)
    house.settle()
    house.settle()
    return ledger


def rules_broken(house: House) -> Counter[str]:
    ledger = play(house)
    found = Counter[str](violation.rule for violation in violations(house.history.events))
    store: Any = house.manager.store
    epoch, recovered = store.epoch(), store.recovered()
    held = recovered.get_many(ledger.about(epoch))

    def mark_of(task: Task) -> str | None:
        return mark_in(task.result)

    found["acknowledged"] = len(ledger.broken(epoch, held, mark_of))
    house.close()
    return +found


def test_a_sound_system_breaks_no_rule() -> None:
    assert rules_broken(Variant("none").house()) == {}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_planted_fault_is_caught(name: str) -> None:
    variant = VARIANTS[name]

    assert rules_broken(variant.house())[variant.breaks] > 0


def test_a_seed_decides_what_is_done_and_when() -> None:
    assert Plan(42, 60).steps() == Plan(42, 60).steps()
    assert Plan(42, 60).steps() != Plan(43, 60).steps()


@pytest.mark.parametrize(
    ("entry", "task", "holds"),
    [
        ({"op": "create"}, {}, True),
        (
            {"op": "end", "state": "completed", "mark": "m"},
            {"state": "completed", "inline_result": '{"mark":"m"}'},
            True,
        ),
        (
            {"op": "end", "state": "completed", "mark": "m"},
            {"state": "completed", "inline_result": '{"mark":"x"}'},
            False,
        ),
        ({"op": "end", "state": "failed"}, {"state": "running"}, False),
        ({"op": "end", "state": "failed"}, {"state": "running", "attempt": 2}, True),
        ({"op": "end", "state": "failed", "attempt": 2}, {"state": "failed"}, False),
        ({"op": "cancel"}, {"state": "completed", "cancel_requested_at": 1.0}, True),
        ({"op": "cancel"}, {"state": "completed"}, False),
        ({"op": "cancel", "attempt": 2}, {"state": "cancelled", "cancel_requested_at": 1.0}, False),
        ({"op": "retry"}, {"state": "pending", "attempt": 2}, True),
        ({"op": "retry"}, {"state": "failed"}, False),
        ({"op": "over"}, {"state": "cancelling"}, True),
        ({"op": "over"}, {"state": "running"}, False),
        ({"op": "over", "attempt": 2}, {"state": "failed"}, False),
        ({"op": "create"}, None, False),
        ({"op": "create", "epoch": "another"}, None, True),
    ],
)
def test_an_acknowledgement_holds_or_not(entry: dict[str, Any], task: dict[str, Any] | None, holds: bool) -> None:
    ledger = Ledger()
    ledger.take(Entry(**{"task_id": "t", "epoch": "e", "attempt": 1} | entry))  # type: ignore[typeddict-item]
    stored = {} if task is None else {"t": Task(task_id="t", created_at=0, epoch="e", **task)}

    assert (ledger.broken("e", stored, lambda task: mark_in(task.result)) == []) is holds
