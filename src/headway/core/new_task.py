"""A new task from what a caller asks for, validated."""

from __future__ import annotations

import os
from binascii import b2a_base64

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.stage import declared_stages
from headway.model.task import Task

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def new_task_id() -> str:
    """128 random bits, URL-safe; begins with a letter or digit, so that no shell takes it for an option."""
    while True:
        # As `secrets.token_urlsafe`, without the OpenSSL that importing it brings in (20 ms) and `base64` (1 ms).
        task_id = b2a_base64(os.urandom(16)).translate(_URL_SAFE, b"=\n").decode()
        if task_id[0].isalnum():
            return task_id


def new_task(
    now: float,
    *,
    name: object,
    task_id: object,
    total: object,
    indeterminate: bool,
    stages: object,
    metadata: object,
    owner: object,
    public: bool,
    ids_are_secrets: bool,
) -> Task:
    """A pending task. Raises `InvalidValue`.

    `ids_are_secrets`: who knows the id may watch, so an id of the caller's own must be long, or the task public.
    """
    if task_id is None:
        task_id = new_task_id()
    else:
        task_id = limits.task_id(task_id)
        if ids_are_secrets and not public and len(task_id) < limits.SECRET_ID_CHARS:
            raise InvalidValue(
                "task_id",
                f"of fewer than {limits.SECRET_ID_CHARS} characters is no secret, and who knows the id may watch and "
                "cancel: leave it out, make it longer, or pass public=True",
            )
    return Task(
        task_id=task_id,
        created_at=now,
        updated_at=now,
        name=None if name is None else limits.text(name, "name", limits.NAME_CHARS),
        progress=None if indeterminate else 0,
        indeterminate=bool(indeterminate),
        total=None if total is None else limits.amount(total, "total"),
        stages=declared_stages(stages),
        metadata_json=limits.encode(metadata, "metadata", limits.METADATA_BYTES),
        owner=None if owner is None else limits.text(owner, "owner", limits.NAME_CHARS),
        public=bool(public),
    )
