"""Text made fit for a card."""

from __future__ import annotations

import pytest

from headway.demo.cards.words import in_latin_quotes, plain


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("老北京胡同🏮", "老北京胡同"),
        ("好吃😋到哭😭！", "好吃到哭！"),
        ("家人👨‍👩‍👧‍👦团圆", "家人团圆"),
        ("国旗🇨🇳和手👍🏽", "国旗和手"),
        ("步骤1️⃣先看", "步骤1先看"),
        ("打卡✅完成", "打卡✓完成"),
        ("爱你❤️", "爱你♥"),
        ("五星⭐推荐", "五星★推荐"),
        ("hello 🌊 world", "hello world"),
        ("Tab\there\nand\u200bthere", "Tab here and there"),
        ("  老北京  ", "老北京"),
        ("✨✨✨", ""),
        ("", ""),
    ],
)
def test_emoji_and_controls_go_and_the_text_stays(text: str, printed: str) -> None:
    assert plain(text) == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Grandmother’s “kitchen”", 'Grandmother\'s "kitchen"'),
        ("看 Tom’s 怎么说“好”", "看 Tom's 怎么说“好”"),
        ("他说：‘走’", "他说：‘走’"),
    ],
)
def test_latin_words_get_narrow_quotes_and_chinese_ones_keep_their_own(text: str, printed: str) -> None:
    assert in_latin_quotes(text) == printed
