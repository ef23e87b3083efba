"""docs/reference/schemas: what every payload that we emit must match, to the letter."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.helpers import ROOT

FOLDER = ROOT / "docs" / "reference" / "schemas"
EVENTS = {"progress": "task", "log": "log", "connected": "connected", "pong": "pong", "error": "error"}


def check_event(event: str, payload: Any) -> None:
    """An event that a server has sent."""
    check(EVENTS[event], payload)


def check(name: str, payload: Any) -> None:
    """Fails with what is wrong and where. A field that the schema does not name is wrong: it is not documented."""
    wrong = [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(payload)]
    assert not wrong, f"not as {name}.json says: {wrong}\n{payload}"


@cache
def validator(name: str) -> Draft202012Validator:
    schemas = {path.stem: _closed(json.loads(path.read_text("utf-8"))) for path in FOLDER.glob("*.json")}
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    resources = [(f"{stem}.json", Resource.from_contents(schema)) for stem, schema in schemas.items()]
    return Draft202012Validator(schemas[name], registry=Registry().with_resources(resources))


def _closed(schema: Any) -> Any:
    """Readers must ignore what they don't know, so the schemas are open; what we emit must all be in them."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    return closed | {"additionalProperties": False} if "properties" in closed and "required" in closed else closed
