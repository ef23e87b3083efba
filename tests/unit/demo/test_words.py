"""The pages' words: both languages say the same things."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from flask import Flask, request

from headway.demo.locales import LOCALES, locale_of, words


def test_both_languages_have_the_same_words() -> None:
    assert words("en").keys() == words("zh-CN").keys()
    for locale in LOCALES:
        assert all(text.strip() for text in words(locale).values())


def test_every_word_that_a_template_asks_for_is_there() -> None:
    used: set[str] = set()
    for template in files("headway.demo").joinpath("templates").iterdir():
        used |= set(re.findall(r"words\.(\w+)", template.read_text("utf-8")))

    assert used <= words("en").keys()


@pytest.mark.parametrize(
    ("header", "cookie", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", None, "zh-CN"),
        ("zh-TW", None, "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", None, "en"),
        ("fr,zh;q=0.5", None, "zh-CN"),
        ("fr", None, "en"),
        (None, None, "en"),
        ("zh-CN", "en", "en"),
        ("en", "zh-CN", "zh-CN"),
        ("en", "../../etc", "en"),
    ],
)
def test_the_switch_goes_before_what_the_browser_asks_for(
    header: str | None, cookie: str | None, expected: str
) -> None:
    headers = {} if header is None else {"Accept-Language": header}
    if cookie is not None:
        headers["Cookie"] = f"headway_lang={cookie}"

    with Flask(__name__).test_request_context(headers=headers):
        assert locale_of(request) == expected
