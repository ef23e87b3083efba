"""What clients should never send, and do: mutated events, packets, frames, requests. Strategies for hypothesis."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import hypothesis.strategies as st

from tests.chaos.wire import text_frame

Spoilt = TypeVar("Spoilt", str, bytes)

NAMESPACE = "/progress"
EVENTS = ("join", "leave", "cancel_task", "retry_task", "ping")
KEYS = ("task_id", "token", "log_from", "reason", "t", "", "__proto__", "x" * 300)

text = st.text(max_size=40) | st.sampled_from(
    ["", "\0", "\ud7ff", "../../etc/passwd", "' OR 1=1 --", "%s%n", "x" * 5_000]
)
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 2**53, 10**400, 1e308])
scalars = st.none() | st.booleans() | numbers | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=8
)


def to_json(value: Any) -> str:
    """Also what isn't JSON: NaN, infinities."""
    return json.dumps(value, ensure_ascii=False)


def payloads(task_ids: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """What could stand beside an event's name: nearly right, or not at all."""
    ids = st.sampled_from(task_ids) | st.sampled_from(["unknown", "", "x" * 200]) | values
    nearly = st.fixed_dictionaries(
        {"task_id": ids},
        optional={
            "token": text | values,
            "log_from": st.integers(-2, 30) | values,
            "reason": text | values,
            "t": values,
        },
    )
    return nearly | values | st.dictionaries(st.sampled_from(KEYS), values, max_size=4)


def events(task_ids: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Socket.IO packets of our events, as Engine.IO messages."""
    names = st.sampled_from(EVENTS) | st.sampled_from(["connect", "disconnect", "progress", "__init__"]) | text
    acks = st.sampled_from(["", "0", "1", "17", "9" * 15, "9" * 30, "-1", "1.5", "x"])
    namespaces = st.sampled_from([f"{NAMESPACE},", "", "/,", "/other,", f"{NAMESPACE}", f"{NAMESPACE}?x=1,", ",,"])
    bodies = st.tuples(names, payloads(task_ids)).map(lambda pair: to_json(list(pair))) | values.map(to_json)
    return st.builds(lambda kind, where, ack, body: f"4{kind}{where}{ack}{body}", kinds, namespaces, acks, bodies)


kinds = st.sampled_from(["2", "2", "2", "2", "0", "1", "3", "4", "5", "6", "9", "x", "51-", "50-", "62-3"])
DEEP = ["[" * 30_000, '{"a":' * 10_000, '42/progress,["join",' + "[" * 20_000 + "]" * 20_000 + "]"]
packets = st.sampled_from(
    ["", "0", "1", "2", "2probe", "3", "3probe", "5", "6", "4", "40", "41", "42", *DEEP]
) | st.text(max_size=60)


def messages(task_ids: tuple[str, ...]) -> st.SearchStrategy[str]:
    sound = events(task_ids)
    # Most of what is no packet at all ends its connection: less of that, or little else would be tried.
    return st.one_of(sound, sound, sound, sound, sound, sound, packets)


VALUE = re.compile(r'-?\d+(?:\.\d+)?|null|true|false|"[^"\\]*"')
ODD_VALUES = (
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e999",
    "9" * 30,
    '""',
    '"x"',
    "[]",
    "{}",
    "[[[[]]]]",
    '{"":{}}',
    "NaN",
)


def with_variants(drawn: Sequence[Spoilt], each: int, seed: int) -> list[Spoilt]:
    """Each of them as it was drawn, then `each` variants of it: a drawn one costs a hundred times as much."""
    chance = Random(seed)
    texts = [one for one in drawn if isinstance(one, str)]
    return [one for sound in drawn for one in [sound, *(_variant(sound, texts, chance) for _ in range(each))]]


def _variant(sound: Spoilt, texts: Sequence[str], chance: Random) -> Spoilt:
    if isinstance(sound, bytes):
        return _spoilt(sound, [b"", b"\0", b"\xff", chance.randbytes(1)], chance)
    way = chance.randrange(3)
    if way == 0:
        return _spoilt(sound, ["", "\0", '"', "{", "]", ",", "\\", "é", "\U0001f600"], chance)
    # What one says behind how another begins, or behind the beginning that is always right.
    begins, says = chance.choice(texts), chance.choice(texts)
    head = chance.choice([f"42{NAMESPACE},", f"42{NAMESPACE},1", begins.partition("[")[0]])
    whole = head + "".join(says.partition("[")[1:])
    if way == 1:
        return whole
    found = list(VALUE.finditer(whole, len(head)))
    if not found:
        return whole
    value = chance.choice(found)
    return whole[: value.start()] + chance.choice(ODD_VALUES) + whole[value.end() :]


def _spoilt(sound: Spoilt, pieces: Sequence[Spoilt], chance: Random) -> Spoilt:
    """With one to three pieces cut out, doubled, or changed."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randint(0, len(sound))
        end = min(len(sound), start + chance.randint(0, 8))
        sound = sound[:start] + chance.choice([*pieces, sound[start:end] * 2]) + sound[end:]
    return sound


def frames(task_ids: tuple[str, ...], drawn: int, each: int) -> st.SearchStrategy[list[bytes]]:
    """Bytes on a WebSocket: mostly well-framed text. So many that Hypothesis draws, and variants of each."""
    odd = st.builds(
        lambda first, size, mask, data: (
            bytes((first, (0x80 if mask else 0) | size)) + (bytes(4) if mask else b"") + data
        ),
        st.integers(0, 255),
        st.integers(0, 127),
        st.booleans(),
        st.binary(max_size=140),
    )
    one = st.one_of([messages(task_ids)] * 30 + [odd, st.binary(min_size=1, max_size=60)])
    return st.builds(
        lambda sounds, seed: [
            said if isinstance(said, bytes) else text_frame(as_sent(said).decode("utf-8"))
            for said in with_variants(sounds, each, seed)
        ],
        st.lists(one, min_size=drawn, max_size=drawn),
        st.integers(0, 2**32),
    )


def polls(task_ids: tuple[str, ...]) -> st.SearchStrategy[list[bytes]]:
    """Bodies for a polling session, each of several messages."""
    body = st.builds(
        lambda sounds, seed: as_sent("\x1e".join(with_variants(sounds, 4, seed))),
        st.lists(messages(task_ids), max_size=4),
        st.integers(0, 2**32),
    )
    return st.lists(body, min_size=1, max_size=10)


def as_sent(message: str) -> bytes:
    return message.encode("utf-8", "replace")


def requests(task_ids: tuple[str, ...]) -> st.SearchStrategy[tuple[str, str, dict[str, str], bytes]]:
    """(method, target, headers, body) of an HTTP call."""
    ids = st.sampled_from((*task_ids, "unknown", "..", "%2e%2e", "%00", "x" * 300))
    tails = st.sampled_from(["", "/cancel", "/retry", "/result", "/log", "/nothing", "/events/x"])
    paths = st.builds(lambda task_id, tail: f"/api/tasks/{task_id}{tail}", ids, tails) | st.sampled_from(
        [
            "/api/tasks",
            "/api/tasks/",
            "/healthz",
            "/metrics",
            "/socket.io/",
            "/static/",
            "/static/%2e%2e/x",
            "//",
            "/api",
        ]
    )
    words = ["state", "limit", "cursor", "from", "log_from", "search", "order", "EIO", "transport", "sid"]
    said = ["", "1", "-1", "0", "999999999999999999999", "running,failed", "%00", "%ff", "polling", "4"]
    pairs = st.sampled_from([f"{name}={value}" for name in words for value in said])
    queries = st.lists(pairs, max_size=25).map(lambda pairs: "?" + "&".join(pairs) if pairs else "")
    plain = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
    headers = st.dictionaries(
        st.sampled_from(["Authorization", "Origin", "Last-Event-ID", "Cookie", "If-None-Match", "X-Forwarded-For"]),
        plain | st.sampled_from(["Bearer x", "null", "http://127.0.0.1", "00000000:1:1", "é:1:1", "a" * 6_000]),
        max_size=3,
    )
    bodies = (
        st.binary(max_size=100)
        | payloads(task_ids).map(lambda value: as_sent(to_json(value)))
        | messages(task_ids).map(as_sent)
        | st.sampled_from([piece.encode() for piece in DEEP])
    )
    methods = st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"])
    targets = st.builds(lambda path, query: path + query, paths, queries)
    return st.tuples(methods, targets, headers, bodies)
