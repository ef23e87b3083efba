"""docs/reference/schemas: what every payload that we emit must match, to the letter."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import requests
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.helpers import ROOT

FOLDER = ROOT / "docs" / "reference" / "schemas"
EVENTS = {"progress": "task", "log": "log", "connected": "connected", "pong": "pong", "error": "error"}
# The end of a path, wherever Headway is mounted. A result is the caller's own, and an event stream is no JSON.
ANSWERS = {
    r"/healthz": "health",
    r"/api/tasks": "task-list",
    r"/api/tasks/[^/]+(/cancel|/retry)?": "task",
    r"/api/tasks/[^/]+/log": "log-page",
    r"/api/(generate_content|test_tasks)": "creation",
}
OURS = re.compile(r".*(/healthz|/api/tasks(/[^/]+(/[a-z]+)?)?|/api/(generate_content|test_tasks))")


def check_event(event: str, payload: Any) -> None:
    """An event that a server has sent."""
    check(EVENTS[event], payload)


def schema_of(path: str, status: int) -> str | None:
    """What the JSON of an answer over HTTP must be; None for what is no business of Headway's."""
    if status >= 400:
        return "error-body" if OURS.fullmatch(path) else None
    return next((name for ending, name in ANSWERS.items() if re.fullmatch(f".*{ending}", path)), None)


def check_answer(answer: requests.Response, *_: Any, **__: Any) -> None:
    """A hook of requests; tests/conftest.py has it look at each answer that a test gets."""
    name = schema_of(answer.request.path_url.partition("?")[0], answer.status_code)
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    if name is not None and is_json and answer.request.method != "HEAD":
        check(name, answer.json())


def check(name: str, payload: Any) -> None:
    """Fails with what is wrong and where. A field that the schema does not name is wrong: it is not documented."""
    wrong = [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(payload)]
    assert not wrong, f"not as {name}.json says: {wrong}\n{payload}"


@cache
def validator(name: str) -> Draft202012Validator:
    schemas = _schemas()
    Draft202012Validator.check_schema(schemas[f"{name}.json"].contents)
    return Draft202012Validator(schemas[f"{name}.json"].contents, registry=schemas)


@cache
def _schemas() -> Registry[Any]:
    paths = FOLDER.glob("*.json")
    closed = {path.name: _closed(json.loads(path.read_text("utf-8"))) for path in paths}
    return Registry().with_resources([(name, Resource.from_contents(schema)) for name, schema in closed.items()])


def _closed(schema: Any) -> Any:
    """Readers must ignore what they don't know, so the schemas are open; what we emit must all be in them."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    return closed | {"additionalProperties": False} if "properties" in closed and "required" in closed else closed
