"""Palettes: enough of them, and readable."""

from __future__ import annotations

import pytest

from headway.demo.cards.palettes import PALETTES, TEXT_ON, contrast, luminance


def test_black_on_white_has_the_contrast_that_wcag_gives_as_its_example() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)
    assert luminance((255, 255, 255)) == pytest.approx(1)


def test_there_are_at_least_six_palettes_each_with_a_name_in_both_languages() -> None:
    assert len(PALETTES) >= 6
    assert all(palette.label_zh and palette.label_en for palette in PALETTES.values())


@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize(("text", "ground"), TEXT_ON)
def test_every_pairing_of_text_and_ground_reaches_4_5_to_1(name: str, text: str, ground: str) -> None:
    palette = PALETTES[name]

    assert contrast(getattr(palette, text), getattr(palette, ground)) >= 4.5
