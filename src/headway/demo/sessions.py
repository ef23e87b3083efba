"""Who a visitor of the demo is: an anonymous owner in a signed cookie, and the key that signs it."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COOKIE = "headway_session"
LIFETIME_S = 400 * 24 * 3600


class Sessions:
    """Makes and reads the session cookie. What it holds is the owner, nothing else."""

    def __init__(self, keys: Sequence[str]) -> None:
        """The first key signs, all are believed."""
        # itsdangerous takes them from the oldest to the newest.
        self._serializer = URLSafeSerializer(list(keys)[::-1], salt="headway.demo.session")

    def owner(self, cookies: Mapping[str, str]) -> str | None:
        """The owner that the cookie names, or None where there is none or it isn't ours."""
        try:
            owner = self._serializer.loads(cookies.get(COOKIE, ""))
        except BadSignature:
            return None
        return owner if isinstance(owner, str) else None

    def new_owner(self) -> str:
        return "visitor-" + secrets.token_urlsafe(16)

    def cookie(self, owner: str) -> str:
        return str(self._serializer.dumps(owner))


def session_key(path: Path) -> str:
    """The key kept in the file at `path`; made, readable by its owner alone, when there is none.

    Atomic: of two processes that start together both get the key of the one that was first.
    """
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    try:
        path.hardlink_to(made)
    except FileExistsError:
        pass  # the other one was first
    finally:
        made.unlink()
    return path.read_text("ascii").strip()
