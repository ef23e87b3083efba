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


SCRIPTS = {
    "pages": files("headway.demo") / "static" / "js",
    "test page": files("headway") / "static" / "js" / "test-page",
}
MADE_UP = re.compile(r"(?:state|stage|worker|fact|rule|error|ended|refused)\.|(?:cancel|retry)Failed")


@pytest.mark.parametrize("whose", SCRIPTS)
def test_the_scripts_say_nothing_that_is_not_there_in_both_languages(whose: str) -> None:
    sources = {file.name: file.read_text("utf-8") for file in SCRIPTS[whose].iterdir() if file.name.endswith(".js")}
    table, _, rest = sources.pop("words.js").partition("\n  en: {")[2].partition("\n};\n")
    english, chinese = (set(re.findall(r"[\s{,]'?([\w.]+)'?: '", part)) for part in table.split("\n  'zh-CN': {"))
    scripts = "\n".join((*sources.values(), rest))
    used = set(re.findall(r"\bt\('([\w.]+)'", scripts))

    assert used <= english
    # English ways of failing are told as the server puts them.
    assert {word for word in english ^ chinese if not word.startswith(("ended.", "refused.", "error."))} == set()
    assert {word for word in english if f"'{word}'" not in scripts and not MADE_UP.match(word)} == set()
