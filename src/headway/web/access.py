"""Who may watch and cancel a task: rules that every join, cancel, retry and HTTP call is held against by itself.

`capability`: who knows the random id may. `signed`: who shows a token for it may. Or a callable of the host application
decides. A refused caller is told what is told of an unknown id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, runtime_checkable

from itsdangerous import BadData, URLSafeSerializer

from headway.model import limits
from headway.model.clock import Clock, SystemClock
from headway.model.errors import InvalidValue
from headway.model.task import Task
from headway.settings import from_environ
from headway.web.request import Request

log = logging.getLogger(__name__)

TaskAction = Literal["read", "cancel", "retry"]
Scope = Literal["read", "cancel"]
HostRule = Callable[[Request, TaskAction, Task], bool]

SCOPES: tuple[Scope, ...] = ("read", "cancel")
_SCOPE_FOR: dict[TaskAction, Scope] = {"read": "read", "cancel": "cancel", "retry": "cancel"}


@runtime_checkable
class Access(Protocol):
    """A rule. `admits` is asked before the store is; `allows` when the task has been read."""

    is_quick: bool
    """Whether it decides without blocking, and alike for tasks that are in memory and tasks that are not."""
    needs_headers: bool
    """Whether it looks at more of a request than its token."""

    def admits(self, request: Request, action: TaskAction, task_id: str) -> bool: ...

    def allows(self, request: Request, action: TaskAction, task: Task) -> bool: ...


class CapabilityAccess:
    """The id is the secret: 128 random bits, unless the task was created with `public=True`."""

    is_quick = True
    needs_headers = False

    def admits(self, request: Request, action: TaskAction, task_id: str) -> bool:  # noqa: ARG002
        return True

    def allows(self, request: Request, action: TaskAction, task: Task) -> bool:  # noqa: ARG002
        return True


class SignedAccess:
    """Tokens that name one task, what their bearer may do with it, and until when. Signed by itsdangerous.

    `secrets`: the first signs, all verify. To rotate, put the new one first; drop the old when its tokens have expired.
    """

    is_quick = True
    needs_headers = False

    def __init__(self, secrets: str | Sequence[str], clock: Clock | None = None) -> None:
        keys = [secrets] if isinstance(secrets, str) else list(secrets)
        if not keys or min(map(len, keys)) < 8:
            raise InvalidValue("secrets", "must be one or more strings of at least 8 characters (HEADWAY_SECRET)")
        # itsdangerous takes them from the oldest to the newest.
        self._serializer = URLSafeSerializer(keys[::-1], salt="headway.token.1")
        self._clock = clock or SystemClock()

    def issue_token(self, task_id: str, scopes: Iterable[Scope] = SCOPES, *, ttl_s: float = 24 * 3600) -> str:
        """A token for one task that is good for `ttl_s` seconds. `cancel` also lets its bearer retry."""
        granted = sorted(set(scopes))
        if not granted or set(granted) - set(SCOPES):
            raise InvalidValue("scopes", f"must be some of {', '.join(SCOPES)}")
        expiry = self._clock.time() + limits.number(ttl_s, "ttl_s", 0, limits.AMOUNT)
        return self._serializer.dumps([limits.task_id(task_id), granted, round(expiry, 3)])

    def admits(self, request: Request, action: TaskAction, task_id: str) -> bool:
        if not request.token or not request.token.isascii():
            return False
        try:
            subject, scopes, expiry = self._serializer.loads(request.token)
            return bool(subject == task_id and _SCOPE_FOR[action] in scopes and self._clock.time() < expiry)
        except (BadData, ValueError, TypeError):
            return False

    def allows(self, request: Request, action: TaskAction, task: Task) -> bool:  # noqa: ARG002
        return True  # `admits` has seen all there is to see.


class HostAccess:
    """The host application decides. Its callable may block; what it raises counts as a no, and is logged."""

    is_quick = False
    needs_headers = True

    def __init__(self, rule: HostRule) -> None:
        self._rule = rule

    def admits(self, request: Request, action: TaskAction, task_id: str) -> bool:  # noqa: ARG002
        return True

    def allows(self, request: Request, action: TaskAction, task: Task) -> bool:
        try:
            return self._rule(request, action, task) is True
        except Exception:
            log.exception("the access rule raised for %s on task %s; refused", action, task.task_id)
            return False


def access_rule(
    rule: str | HostRule | Access, *, secrets: str | Sequence[str] | None = None, clock: Clock | None = None
) -> Access:
    """The rule that is meant by `capability`, `signed`, a callable, or a rule."""
    if rule == "capability":
        return CapabilityAccess()
    if rule == "signed":
        if not secrets:
            raise InvalidValue("access", "signed needs a secret: set HEADWAY_SECRET")
        return SignedAccess(secrets, clock)
    if isinstance(rule, str):
        raise InvalidValue("access", "must be 'capability', 'signed', or a callable (request, action, task) -> bool")
    return rule if isinstance(rule, Access) else HostAccess(rule)


def access_for(default: str, chosen: str | HostRule | Access | None, secrets: str | Sequence[str] | None) -> Access:
    """The rule that an adapter is given, or else `default`, the manager's; secrets by default from HEADWAY_SECRET."""
    rule = default if chosen is None else chosen
    if rule == "host":
        raise InvalidValue("access", "the manager leaves it to the host application: pass the callable here")
    return access_rule(rule, secrets=secrets or from_environ().secrets)
