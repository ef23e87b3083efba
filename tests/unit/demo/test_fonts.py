"""Finding a font with Chinese characters, and saying what to do where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.demo.cards.fonts import CUTS, asked_fontconfig, best, face, find
from headway.demo.errors import FontMissing


def test_this_machine_has_a_face_for_every_cut_and_it_shows_chinese() -> None:
    for cut in CUTS:
        assert face(cut).shows("胡")
        assert face(cut).shows("，")


def test_a_face_knows_what_it_can_not_show() -> None:
    assert face("sans").shown("老北京\U0010ffff胡同") == "老北京胡同"


def test_fontconfig_is_asked_where_no_known_file_is_there() -> None:
    found = find({"sans": ("/nowhere/at/all.ttc",)}, asked_fontconfig)

    assert found["sans"].shows("胡")


def test_a_font_without_chinese_is_passed_over() -> None:
    latin = [str(path) for path in Path("/usr/share/fonts").rglob("DejaVuSans.ttf")]

    assert find({"sans": latin}, lambda _pattern: ()) == {}


def test_the_next_best_cut_stands_in_for_one_that_is_not_there() -> None:
    only = {"sans": face("sans")}

    assert {best(only, cut) for cut in CUTS} == {face("sans")}


def test_where_there_is_no_font_the_error_names_the_package() -> None:
    with pytest.raises(FontMissing, match="fonts-noto-cjk") as caught:
        best({}, "serif-bold")

    assert caught.value.code == "font_missing"
