"""What the demo's two creating routes accept: JSON in, a frozen value out, or `InvalidValue` naming the field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.web.json_text import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping

CARDS = (1, 24)
DEFAULT_CARDS = 4
BODY_BYTES = 64 * 1024
TOPIC_CHARS = 2_000
SECONDS = (0.1, 600)
UPDATES = (1, 10_000)
SEED = 2**53 - 1
OUTCOMES = ("complete", "fail", "hang", "crash")
LANGUAGES = ("zh-CN", "en")
_RESERVED = frozenset({"pending", "running", "cancelling", "completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class PostAsked:
    """A post to make."""

    topic: str
    cards: int
    style: str
    language: str | None
    """None: that of the topic."""
    seed: int | None


@dataclass(frozen=True, slots=True)
class TrialAsked:
    """A test task to run."""

    seconds: float
    updates: int
    stages: tuple[str, ...]
    outcome: str
    process: bool
    """To run in a process of its own, which can be killed."""


def body(raw: bytes) -> Mapping[str, Any]:  # Any: any JSON; each field is checked where it is read
    """The JSON object in `raw`."""
    value = from_json(raw, "body")
    if not isinstance(value, dict):
        raise InvalidValue("body", "must be a JSON object")
    return value


def post(fields: Mapping[str, Any], *, styles: tuple[str, ...]) -> PostAsked:
    """The post that `fields` ask for."""
    topic = limits.text(_required(fields, "input_text"), "input_text", TOPIC_CHARS).strip()
    if not topic:
        raise InvalidValue("input_text", f"must have 1 to {TOPIC_CHARS:,} characters")
    seed, language = fields.get("seed"), fields.get("language")
    return PostAsked(
        topic=topic,
        cards=limits.whole(_or(fields, "cards", DEFAULT_CARDS), "cards", *CARDS),
        style=_one_of(_or(fields, "style", styles[0]), "style", styles),
        language=None if language is None else _one_of(language, "language", LANGUAGES),
        seed=None if seed is None else limits.whole(seed, "seed", -SEED, SEED),
    )


def trial(fields: Mapping[str, Any]) -> TrialAsked:
    """The test task that `fields` ask for."""
    stages = _or(fields, "stages", [])
    if not isinstance(stages, list) or len(stages) > limits.STAGES:
        raise InvalidValue("stages", f"must be a list of up to {limits.STAGES} names")
    for name in stages:
        if limits.stage_name(name, "stages") in _RESERVED:
            raise InvalidValue("stages", f"must not be the name of a state, as {name!r} is")
    if len(set(stages)) < len(stages):
        raise InvalidValue("stages", "must differ from each other")
    return TrialAsked(
        seconds=float(limits.number(_required(fields, "seconds"), "seconds", *SECONDS)),
        updates=limits.whole(_required(fields, "updates"), "updates", *UPDATES),
        stages=tuple(stages),
        outcome=_one_of(_required(fields, "outcome"), "outcome", OUTCOMES),
        process=fields.get("process") is True,
    )


def _required(fields: Mapping[str, Any], field: str) -> object:
    if field not in fields:
        raise InvalidValue(field, "is missing")
    return fields[field]


def _or(fields: Mapping[str, Any], field: str, default: object) -> object:
    value = fields.get(field)
    return default if value is None else value


def _one_of(value: object, field: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise InvalidValue(field, f"must be one of {', '.join(choices)}")
    return value
