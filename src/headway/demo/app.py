"""The demo's Flask app: pages, its own API, pictures. Headway's API, sockets and static files are the gateway's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from headway.demo import asked
from headway.demo.api import Rates, api, refusal
from headway.demo.pages import Shown, pages
from headway.demo.rate import RateLimit
from headway.model.clock import SystemClock
from headway.model.errors import InvalidValue
from headway.web import headers
from headway.web.access import SignedAccess

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

    from headway.demo.service import Studio
    from headway.demo.timeline import Timeline
    from headway.demo.visitors import Visitors
    from headway.web.origins import Origins

POSTS_A_MINUTE = 120
TRIALS_A_MINUTE = 600


def create_app(
    studio: Studio,
    visitors: Visitors,
    origins: Origins,
    timeline: Timeline,
    shown: Shown,
    *,
    restart_hub: Callable[[], None] | None = None,
) -> Flask:
    """A WSGI app to mount beside the gateway. `restart_hub`: see `api`; None where not only this machine is served."""
    app = Flask(__name__, static_url_path="/assets")
    app.config["MAX_CONTENT_LENGTH"] = asked.BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
    clock = SystemClock()
    rates = Rates(posts=RateLimit(POSTS_A_MINUTE, clock), trials=RateLimit(TRIALS_A_MINUTE, clock))
    app.register_blueprint(pages(shown))
    app.register_blueprint(api(studio, visitors, origins, rates, timeline, restart_hub=restart_hub))

    @app.context_processor
    def for_scripts() -> dict[str, str]:
        return {"access": "signed" if isinstance(visitors.access, SignedAccess) else "capability"}

    @app.before_request
    def know_the_visitor() -> None:
        # Also on a page: the sockets that it opens carry the cookie then.
        visitors.owner()

    @app.errorhandler(413)
    def too_large(_error: HTTPException) -> tuple[Response, int]:
        return refusal(InvalidValue("body", f"must be up to {asked.BODY_BYTES:,} bytes", code="too_large"))

    @app.errorhandler(405)
    def wrong_method(error: MethodNotAllowed) -> tuple[Response, int, dict[str, str]]:
        allowed = {"Allow": ", ".join(sorted(error.valid_methods or ()))}
        return jsonify(error={"code": "method_not_allowed", "message": error.description or ""}), 405, allowed

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in headers.SECURITY:
            response.headers.setdefault(name, value)
        if response.mimetype == "text/html":
            response.headers["Cache-Control"] = "private, no-cache"
            response.vary.update(("Accept-Language", "Cookie"))
        return visitors.remember(response)

    return app
