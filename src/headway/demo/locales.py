"""Which language a visitor reads the pages in, and the words of those pages in it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Request

COOKIE = "headway_lang"
LOCALES = ("en", "zh-CN")


def locale_of(request: Request) -> str:
    """The switch's choice, else what the browser asks for, else English."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LOCALES:
        return chosen
    for tag, _ in request.accept_languages:
        if tag.lower().split("-")[0] == "zh":
            return "zh-CN"
        if tag.lower().split("-")[0] == "en":
            return "en"
    return "en"


@cache
def words(locale: str) -> Mapping[str, str]:
    """Every string of the templates in `locale`."""
    text = files("headway.demo").joinpath("words", f"{locale}.json").read_text("utf-8")
    return MappingProxyType(json.loads(text))
