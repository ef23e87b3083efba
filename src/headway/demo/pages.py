"""The demo's pages: HTML shells in the visitor's language, which the scripts fill from the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, redirect, render_template, request, url_for

from headway.demo.locales import COOKIE, LOCALES, locale_of, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.wrappers import Response as BaseResponse

YEAR_S = 365 * 24 * 3600
IDEAS: Mapping[str, tuple[str, ...]] = {
    "zh-CN": ("老北京胡同", "雨天的咖啡馆", "第一次露营", "外婆的厨房", "城市夜骑"),
    "en": ("Old Beijing hutongs", "A café in the rain", "First night in a tent", "Grandmother’s kitchen"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the studio page says of the studio behind it, by language."""

    styles: Callable[[str], list[dict[str, str]]]
    generator_note: Callable[[str], str]


def pages(shown: Shown) -> Blueprint:
    """`/`, `/tasks` and `/tasks/ID`, and the switch of language on each (`?lang=`)."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.before_request
    def switch_language() -> BaseResponse | None:
        chosen = request.args.get("lang")
        if chosen not in LOCALES or request.endpoint is None:
            return None
        response = redirect(url_for(request.endpoint, **(request.view_args or {})))
        # Readable by scripts: the test page is a static file and picks its words in the browser.
        response.set_cookie(COOKIE, chosen, max_age=YEAR_S, samesite="Lax", path=request.script_root or "/")
        return response

    @blueprint.get("/")
    def studio() -> str:
        locale = locale_of(request)
        return page(
            "studio.html",
            here="studio",
            styles=shown.styles(locale),
            ideas=IDEAS[locale],
            generator_note=shown.generator_note(locale),
        )

    @blueprint.get("/tasks")
    def tasks() -> str:
        return page("tasks.html", here="tasks")

    @blueprint.get("/tasks/<task_id>")
    def task(task_id: str) -> str:
        # The same shell for every id: whether there is such a task, and for whom, is the API's to say.
        return page("task.html", here="task", task_id=task_id)

    @blueprint.app_errorhandler(404)
    def not_found(_error: Exception) -> tuple[str | BaseResponse, int]:
        return failure(404, "not_found", "there is nothing at this address")

    @blueprint.app_errorhandler(500)
    def broken(_error: Exception) -> tuple[str | BaseResponse, int]:
        return failure(500, "internal", "something went wrong here; the server's log says more")

    return blueprint


def page(template: str, **given: object) -> str:
    locale = locale_of(request)
    return render_template(template, locale=locale, words=words(locale), root=request.script_root, **given)


def failure(status: int, code: str, message: str) -> tuple[str | BaseResponse, int]:
    """An error as a page for who asked for a page, as JSON for programs."""
    best = request.accept_mimetypes.best_match(("application/json", "text/html"))
    if best != "text/html" or "/api/" in request.path:
        return jsonify({"error": {"code": code, "message": message}}), status
    return page("error.html", here=None, code=status), status
