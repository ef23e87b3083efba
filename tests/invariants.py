"""What must hold of everything a viewer ever saw, whatever was killed, cut or raced (SPEC 3, the delivery promise).

A history is the list of what one or several viewers did and received, in order. `violations` reads it whole and is
pure; `Checker` takes it event by event and keeps none of them; `History` records it from any thread. Record a `join`
when it is *sent* and a `leave` when it is *acknowledged*: what is on its way between the two is no fault of the
server's.

    rev       rises within an epoch; the state sent in answer to a join may repeat the last one
    progress  never falls within an attempt, is never null again once a number; nor does the attempt fall
    final     is seen by all who are joined at the end, and is the last thing seen of its attempt; all see the same one
    joined    nothing comes of a task that was not joined
    log       comes gaplessly in order from `log_from`, or `truncated_before` says what is gone
    agree     whoever sees the same rev of a task sees the same state
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

Kind = Literal["join", "leave", "connect", "disconnect", "progress", "log"]
Rule = Literal["rev", "progress", "final", "joined", "log", "agree"]

FINAL_STATES = frozenset({"completed", "failed", "cancelled"})


class Event(TypedDict):
    """`task_id` is None for connect and disconnect; a join's payload is what was sent, with `log_from` if given."""

    viewer: str
    kind: Kind
    task_id: str | None
    payload: Mapping[str, Any]


@dataclass(frozen=True)
class Violation:
    """`index` is the event's place in the history, or its length for what was missing at the end."""

    rule: Rule
    viewer: str
    task_id: str
    index: int
    text: str


def violations(history: Iterable[Event], *, unfinished: Collection[str] = ()) -> list[Violation]:
    """All that broke a promise, in order. `unfinished` names the tasks that were still alive when recording ended."""
    checker = Checker()
    for event in history:
        checker.take(event)
    return checker.finish(unfinished=unfinished)


class Checker:
    """Judges a history of any length as it comes: what it keeps grows with viewers times tasks, not with events.

    `found` holds what broke a promise so far. Not for several threads.
    """

    def __init__(self) -> None:
        self.events = 0
        self.found: list[Violation] = []
        self._views: defaultdict[str, defaultdict[str, _View]] = defaultdict(lambda: defaultdict(_View))
        self._agreed = _Agreement()

    def take(self, event: Event) -> None:
        viewer, task_id = event["viewer"], event["task_id"]
        if task_id is None:
            if event["kind"] == "disconnect":
                for view in self._views[viewer].values():
                    view.leave()
        else:
            for rule, text in self._views[viewer][task_id].take(event):
                self._note(rule, viewer, task_id, text)
            if event["kind"] == "progress":
                for rule, text in self._agreed.take(task_id, event["payload"]):
                    self._note(rule, viewer, task_id, text)
        self.events += 1

    def rewound(self) -> None:
        """The store has lost its newest writes (a power cut): say it once nobody is shown what was lost any more.

        Viewers drop what is not newer than what they have seen, as readers do (SPEC 1, `rev`); what is newer again may,
        once, be behind in progress or attempt.
        """
        self._agreed = _Agreement()
        for views in self._views.values():
            for view in views.values():
                view.is_rewound = True

    def replaced(self) -> None:
        """The store has another history: lines that were asked of the one before, and have not come, begin anew."""
        for views in self._views.values():
            for view in views.values():
                view.log.may_begin_anew = view.log.asked is not None

    def joined(self, viewer: str) -> list[str]:
        """The tasks that this viewer watches."""
        return [task_id for task_id, view in self._views[viewer].items() if view.is_joined]

    def awaited(self, *, unfinished: Collection[str] = (), truth: Mapping[str, Mapping[str, Any]] | None = None) -> int:
        """How many ends have not been seen yet by who waits for them."""
        return sum(1 for _ in self._missing(unfinished, truth or {}))

    def finish(
        self, *, unfinished: Collection[str] = (), truth: Mapping[str, Mapping[str, Any]] | None = None
    ) -> list[Violation]:
        """All that was found, also what is missing now. `truth`: what the store holds of tasks that have ended."""
        for viewer, task_id, text in self._missing(unfinished, truth or {}):
            self._note("final", viewer, task_id, text)
        return self.found

    def _missing(
        self, unfinished: Collection[str], truth: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[tuple[str, str, str]]:
        for viewer, views in self._views.items():
            for task_id, view in views.items():
                if task_id in unfinished or not view.is_joined:
                    continue
                stored = _Seen.of(truth[task_id]) if task_id in truth else None
                if not view.has_seen_the_end():
                    yield viewer, task_id, f"never saw the end; last was {view.last}"
                elif stored is not None and view.last != stored:
                    yield viewer, task_id, f"the end is {stored}; last seen was {view.last}"

    def _note(self, rule: Rule, viewer: str, task_id: str, text: str) -> None:
        self.found.append(Violation(rule, viewer, task_id, self.events, text))


class History:
    """Records from any thread; `check()` fails with all violations and what led to the first."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._lock = threading.Lock()

    @property
    def events(self) -> list[Event]:
        with self._lock:
            return list(self._events)

    def connect(self, viewer: str) -> None:
        self._add(viewer, "connect", None, {})

    def disconnect(self, viewer: str) -> None:
        self._add(viewer, "disconnect", None, {})

    def join(self, viewer: str, task_id: str, log_from: int | None = None) -> None:
        self._add(viewer, "join", task_id, {} if log_from is None else {"log_from": log_from})

    def leave(self, viewer: str, task_id: str) -> None:
        self._add(viewer, "leave", task_id, {})

    def progress(self, viewer: str, payload: Mapping[str, Any]) -> None:
        self._add(viewer, "progress", payload["task_id"], payload)

    def log(self, viewer: str, payload: Mapping[str, Any]) -> None:
        self._add(viewer, "log", payload["task_id"], payload)

    def check(self, *, unfinished: Collection[str] = ()) -> None:
        events = self.events
        found = violations(events, unfinished=unfinished)
        if not found:
            return
        lines = [f"{len(found)} of the invariants' violations in {len(events)} events:", *map(str, found[:20])]
        first = found[0]
        of_this = [event for event in events[: first.index + 1] if event["viewer"] == first.viewer]
        raise AssertionError("\n".join([*lines, "that viewer's events up to the first:", *map(str, of_this[-10:])]))

    def _add(self, viewer: str, kind: Kind, task_id: str | None, payload: Mapping[str, Any]) -> None:
        with self._lock:
            self._events.append(Event(viewer=viewer, kind=kind, task_id=task_id, payload=payload))


Fault = tuple[Rule, str]


@dataclass(frozen=True)
class _Seen:
    """One state as a viewer saw it."""

    epoch: str
    rev: int
    attempt: int
    progress: float | None
    state: str

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> _Seen:
        return cls(payload["epoch"], payload["rev"], payload["attempt"], payload["progress"], payload["state"])


@dataclass
class _View:
    """What one viewer knows of one task."""

    is_joined: bool = False
    is_rewound: bool = False
    may_repeat: int = 0
    last: _Seen | None = None
    last_of_epoch: dict[str, _Seen] = field(default_factory=dict)
    log: _LogView = field(default_factory=lambda: _LogView())

    def take(self, event: Event) -> Iterator[Fault]:
        match event["kind"]:
            case "join":
                self.join(event["payload"].get("log_from"))
            case "leave":
                self.leave()
            case "progress":
                yield from self._progress(_Seen.of(event["payload"]))
            case "log":
                yield from self._log(event["payload"])

    def join(self, log_from: int | None) -> None:
        self.is_joined = True
        self.may_repeat += 1
        if log_from is not None:
            self.log.ask_from(log_from)

    def leave(self) -> None:
        self.is_joined = False
        self.may_repeat = 0
        self.log.stop()

    def has_seen_the_end(self) -> bool:
        return self.last is not None and self.last.state in FINAL_STATES

    def _progress(self, new: _Seen) -> Iterator[Fault]:
        if not self.is_joined:
            yield "joined", f"{new} without a join"
        old = self.last_of_epoch.get(new.epoch)
        if self.is_rewound and old is not None:
            if new.rev > old.rev:
                self.last = self.last_of_epoch[new.epoch] = new
                self.is_rewound = False
            return
        self.last = self.last_of_epoch[new.epoch] = new
        self.log.is_of(new.epoch)
        if old is None:
            return
        if new.rev == old.rev and self.may_repeat:
            self.may_repeat -= 1
            if new != old:
                yield "rev", f"{new} repeats the rev of {old} with another content"
            return
        if new.rev <= old.rev:
            yield "rev", f"{new} after {old}"
        if new.attempt < old.attempt:
            yield "progress", f"{new} is of an earlier attempt than {old}"
        if new.attempt != old.attempt:
            return
        if old.state in FINAL_STATES:
            yield "final", f"{new} after the end {old}"
        if old.progress is not None and (new.progress is None or new.progress < old.progress):
            yield "progress", f"{new} after {old}"

    def _log(self, payload: Mapping[str, Any]) -> Iterator[Fault]:
        if not self.is_joined:
            yield "joined", "log lines without a join"
        for text in self.log.take(payload):
            yield "log", text


AGREED = 20_000


class _Agreement:
    """What viewers have seen as the same thing. Of ends all are kept, of other states the newest."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, str, int], _Seen] = OrderedDict()
        self._ends: dict[tuple[str, str, int], _Seen] = {}

    def take(self, task_id: str, payload: Mapping[str, Any]) -> Iterator[Fault]:
        new = _Seen.of(payload)
        old = self._states.setdefault((task_id, new.epoch, new.rev), new)
        if old != new:
            yield "agree", f"{new} where another viewer saw {old}"
        if len(self._states) > AGREED:
            self._states.popitem(last=False)
        if new.state in FINAL_STATES:
            end = self._ends.setdefault((task_id, new.epoch, new.attempt), new)
            if end != new:
                yield "final", f"{new} where another viewer saw {end} as the end"


@dataclass
class _LogView:
    """Which line of a task's log a viewer must get next."""

    epoch: str | None = None
    due: int | None = None
    asked: int | None = None
    may_begin_anew: bool = False

    def ask_from(self, line: int) -> None:
        # Until the answer comes, lines that were on their way may still continue the old order: hence two numbers.
        self.asked = line

    def is_of(self, epoch: str) -> None:
        """A state was seen: before the first line it says which history was asked."""
        if self.epoch is None:
            self.epoch = epoch

    def stop(self) -> None:
        self.due = self.asked = None

    def take(self, payload: Mapping[str, Any]) -> Iterator[str]:
        if self.due is None and self.asked is None:
            yield "log lines that were not asked for"
        if payload["epoch"] != self.epoch:
            # Another history counts its lines from one again, also for who was just asking the one before.
            self.due = 1 if self.epoch is not None else None
            self.epoch = payload["epoch"]
        gone_before = payload.get("truncated_before") or 0
        for line in payload["lines"]:
            n = line["n"]
            wanted = (self.due, self.asked, 1 if self.may_begin_anew else None)
            self.may_begin_anew = False
            allowed = {max(number, gone_before) for number in wanted if number is not None}
            if allowed and n not in allowed:
                yield f"line {n} where {' or '.join(map(str, sorted(allowed)))} was due"
            if self.asked is not None and n == max(self.asked, gone_before):
                self.asked = None
            self.due = n + 1
