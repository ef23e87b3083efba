"""A gateway for the access matrix: `matrix_server.py PORT STORE RULE`, RULE is signed or host.

With `host`, who asks is named by the header X-User (or the token in a payload), and may do what an owner may. Tasks are
retried by a runner that runs nothing.
"""

from __future__ import annotations

import sys

from headway import ProgressManager
from headway.model.task import Task
from headway.web.gateway import Gateway
from headway.web.request import Request
from headway.web.serve import serve

SECRETS = ["the newest secret of all", "the secret before that one"]


class QuietRunner:
    name = "quiet"
    holds_pending = False

    def can_retry(self, task: Task) -> bool:
        return True

    def retry(self, task: Task) -> None:
        """It stays pending."""

    def stop_task(self, task: Task) -> None:
        """Nobody to tell."""

    def kill_task(self, task: Task) -> str | None:
        return None


def user_of(request: Request) -> str | None:
    return request.token or request.headers.get("x-user")


def may(request: Request, action: str, task: Task) -> bool:
    """The owner may do all, the auditor may watch, and who breaks the rule may nothing."""
    user = user_of(request)
    if user == "breaker":
        raise RuntimeError("the rule is broken")
    return user == task.owner or (user == "auditor" and action == "read")


def main() -> None:
    port, store, rule = sys.argv[1:]
    with ProgressManager(store=store) as manager:
        manager.register_runner(QuietRunner())
        gateway = Gateway(
            manager,
            access="signed" if rule == "signed" else may,
            secrets=SECRETS,
            owner=lambda request: request.headers.get("x-user"),
            operator=lambda request: request.headers.get("x-user") == "operator",
        )
        serve(gateway, port=int(port))


if __name__ == "__main__":
    main()
