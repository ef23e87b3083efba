"""The demo's own routes: start a post or a test task, what was made, its pictures. The tasks' API is Headway's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request, send_file

from headway.demo import asked
from headway.demo.generators.base import STYLES
from headway.demo.locales import locale_of
from headway.demo.visitors import seen
from headway.model import limits
from headway.model.errors import HeadwayError, InvalidValue
from headway.web.rest import STATUS_OF_CODE
from headway.web.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from headway.demo.rate import RateLimit
    from headway.demo.service import Studio
    from headway.demo.timeline import Timeline
    from headway.demo.visitors import Visitors
    from headway.web.origins import Origins

STATUS_OF = {**STATUS_OF_CODE, "still_running": 409, "not_killable": 409}
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one caller may create."""

    posts: RateLimit
    trials: RateLimit


def api(
    studio: Studio,
    visitors: Visitors,
    origins: Origins,
    rates: Rates,
    timeline: Timeline,
    *,
    restart_hub: Callable[[], None] | None,
) -> Blueprint:
    """The routes. `restart_hub` loses every viewer's connection; None: no test tasks and no chaos here."""
    blueprint = Blueprint("demo_api", __name__)

    @blueprint.before_request
    def same_site_only() -> None:
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            origins.check(seen())

    @blueprint.errorhandler(HeadwayError)
    def refused(error: HeadwayError) -> tuple[Response, int]:
        return refusal(error)

    @blueprint.post("/api/generate_content")
    def generate_content() -> tuple[Response, int]:
        wanted = asked.post(_fields(), styles=tuple(STYLES))
        _count(rates.posts)
        return created(studio.start_post(wanted, visitors.owner()))

    @blueprint.get("/api/posts")
    def posts() -> Response:
        page = studio.posts(
            visitors.owner(), search=_search(), cursor=request.args.get("cursor"), limit=_limit(default=12)
        )
        return jsonify(posts=page.posts, next_cursor=page.next_cursor)

    @blueprint.delete("/api/posts/<task_id>")
    def delete_post(task_id: str) -> tuple[str, int]:
        visitors.own_task(task_id)
        studio.delete_post(task_id)
        return "", 204

    @blueprint.get("/posts/<task_id>/<name>")
    def file(task_id: str, name: str) -> Response:
        visitors.watchable_task(task_id)
        response = send_file(studio.file(task_id, name), max_age=24 * 3600, conditional=True)
        response.cache_control.public = False
        response.cache_control.private = True
        return response

    @blueprint.get("/api/timeline/<task_id>")
    def attempts(task_id: str) -> Response:
        return jsonify(attempts=timeline.attempts(visitors.watchable_task(task_id)))

    @blueprint.get("/api/tokens/<task_id>")
    def token(task_id: str) -> Response:
        visitors.own_task(task_id)
        return jsonify(token=visitors.token(task_id))

    @blueprint.post("/api/share/<task_id>")
    def share(task_id: str) -> Response:
        visitors.own_task(task_id)
        read_only = visitors.token(task_id, read_only=True)
        if read_only is None:
            raise WireError("invalid_request", "read-only links need HEADWAY_ACCESS=signed")
        # Behind the #, so that no server and no log ever sees it.
        return jsonify(url=f"{request.script_root}/tasks/{task_id}#token={read_only}")

    @blueprint.after_request
    def private(response: Response) -> Response:
        if request.path.startswith("/api/"):
            response.headers["Cache-Control"] = "no-store"
        return response

    def created(task_id: str) -> tuple[Response, int]:
        base = f"{request.script_root}/api/tasks/{task_id}"
        body: dict[str, str] = {"task_id": task_id, "status_url": base, "cancel_url": f"{base}/cancel"}
        token = visitors.token(task_id)
        if token is not None:
            body["token"] = token
        return jsonify(body), 202

    if restart_hub is not None:
        blueprint.register_blueprint(_trials(studio, visitors, rates, created, restart_hub))
    return blueprint


def _trials(
    studio: Studio,
    visitors: Visitors,
    rates: Rates,
    created: Callable[[str], tuple[Response, int]],
    restart_hub: Callable[[], None],
) -> Blueprint:
    blueprint = Blueprint("trials", __name__)

    @blueprint.post("/api/test_tasks")
    def test_tasks() -> tuple[Response, int]:
        wanted = asked.trial(_fields())
        _count(rates.trials)
        return created(studio.start_trial(wanted, visitors.owner(), locale_of(request)))

    @blueprint.post("/api/chaos")
    def chaos() -> tuple[Response, int]:
        fields = _fields()
        if fields.get("act") == "kill_worker":
            task = visitors.own_task(limits.task_id(fields.get("task_id")))
            if not studio.kill_worker(task):
                raise WireError("not_killable", "no process of its own runs this task now")
        elif fields.get("act") == "restart_hub":
            restart_hub()
        else:
            raise InvalidValue("act", "must be kill_worker or restart_hub")
        return jsonify(ok=True), 202

    return blueprint


def refusal(error: HeadwayError) -> tuple[Response, int]:
    response = jsonify(error={"code": error.code, "message": str(error)})
    if isinstance(error, TooOften):
        response.headers["Retry-After"] = str(math.ceil(error.wait_s))
    return response, STATUS_OF.get(error.code, 500)


class TooOften(WireError):
    """The caller has created as much as it may this minute."""

    def __init__(self, limit: int, wait_s: float) -> None:
        super().__init__("rate_limited", f"at most {limit} a minute; try again in {math.ceil(wait_s)} s")
        self.wait_s = wait_s


def _fields() -> dict[str, Any]:  # Any: any JSON
    return dict(asked.body(request.get_data(cache=False)))


def _count(rate: RateLimit) -> None:
    wait_s = rate.wait_s(request.remote_addr or "")
    if wait_s > 0:
        raise TooOften(rate.limit, wait_s)


def _search() -> str | None:
    text = request.args.get("q", "").strip()
    return limits.text(text, "q", 200) or None


def _limit(*, default: int) -> int:
    given = request.args.get("limit", str(default))
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None
    return limits.whole(number, "limit", 1, MOST_LISTED)
