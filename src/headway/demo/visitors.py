"""Who is asking: the visitor's cookie, the operator on this machine, and what the access rule says of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import g
from flask import request as flask_request

from headway.demo.sessions import COOKIE, LIFETIME_S, Sessions
from headway.model.errors import TaskNotFound
from headway.web.access import Access, SignedAccess
from headway.web.request import Request, bearer, from_loopback

if TYPE_CHECKING:
    from flask import Response

    from headway.core.progress_manager import ProgressManager
    from headway.model.task import Task


@dataclass(frozen=True, slots=True)
class Visitors:
    """Answers for the request that is being served."""

    manager: ProgressManager
    sessions: Sessions
    access: Access

    def owner(self) -> str:
        """The visitor's owner name; a newcomer is given one, and the cookie with the response."""
        owner: str | None = g.get("headway_owner")
        if owner is None:
            owner = self.sessions.owner(flask_request.cookies)
            if owner is None:
                owner = g.headway_newcomer = self.sessions.new_owner()
            g.headway_owner = owner
        return owner

    def remember(self, response: Response) -> Response:
        """After the request: the cookie of a newcomer."""
        newcomer: str | None = g.pop("headway_newcomer", None)
        if newcomer is not None:
            response.set_cookie(
                COOKIE,
                self.sessions.cookie(newcomer),
                max_age=LIFETIME_S,
                httponly=True,
                samesite="Lax",
                secure=flask_request.is_secure,
                path=flask_request.script_root or "/",
            )
        return response

    def is_operator(self) -> bool:
        return from_loopback(seen())

    def own_task(self, task_id: str) -> Task:
        """The task, for its owner or the operator. Raises `TaskNotFound` for anyone else."""
        task = self.manager.get_task(task_id)
        if task.owner == self.owner() or self.is_operator():
            return task
        raise TaskNotFound(task_id)

    def watchable_task(self, task_id: str) -> Task:
        """The task, for who may watch it. Raises `TaskNotFound` for anyone else."""
        request = seen()
        admitted = self.access.admits(request, "read", task_id)
        task = self.manager.get_task(task_id)
        return task if admitted and self.access.allows(request, "read", task) else self.own_task(task_id)

    def token(self, task_id: str, *, read_only: bool = False) -> str | None:
        """A token for the task, where the access rule goes by tokens."""
        if not isinstance(self.access, SignedAccess):
            return None
        return self.access.issue_token(task_id, ("read",) if read_only else ("read", "cancel"))


def owner_of(sessions: Sessions) -> Callable[[Request], str | None]:
    """For the gateway: the owner that a request's cookie names."""
    return lambda request: sessions.owner(request.cookies)


def seen() -> Request:
    """Flask's request as the access rules see it."""
    headers = {name.lower(): value for name, value in flask_request.headers}
    return Request(
        method=flask_request.method,
        path=flask_request.path,
        headers=headers,
        scheme=flask_request.scheme,
        remote=flask_request.remote_addr,
        mount=flask_request.script_root,
        token=bearer(headers),
    )
