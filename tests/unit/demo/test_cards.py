"""Cards as they are drawn: complete, inside their page, readable, the same for the same seed."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import cycle

import pytest
from PIL import Image

from headway.demo.cards.canvas import Canvas
from headway.demo.cards.card import CARD_SIZE, KINDS, THUMB_SIZE, Card
from headway.demo.cards.choice import SUITING, Wardrobe
from headway.demo.cards.fonts import face
from headway.demo.cards.layouts import LAYOUTS
from headway.demo.cards.page import Page
from headway.demo.cards.palettes import PALETTES, Colour, contrast, luminance
from headway.demo.cards.render import as_png, draw, laid_out, render_card, strip, thumbnail
from headway.demo.cards.scenes import SCENES
from headway.demo.cards.typeset import Type, fit, width_of
from headway.demo.cards.words import plain

FULL = Card(
    heading="老北京胡同，走慢一点才好看",
    lines=("灰砖墙上斑驳的光影，早上九点最好看", "屋檐底下一排鸟笼", "墙根儿晒太阳的猫", "跟下棋的大爷聊上的那几句"),
    caption="本地人才知道的 7 个细节",
    topic="老北京胡同",
    scene="hutong",
    number=2,
    of=8,
    tags=("老北京胡同", "城市漫步", "周末去哪儿"),
)
# What people type: one character, far too much, other scripts, nothing that could be printed.
ODD_WORDS = {
    "one character": replace(FULL, heading="茶", lines=("茶",), caption="", topic="茶"),
    "far too long": replace(
        FULL, heading="很长的标题" * 40, lines=("很长的一行，" * 40,) * 8, caption="说明" * 80, topic="主题" * 200
    ),
    "latin": replace(FULL, heading="A slow afternoon with WebSockets", lines=("Keep it simple",) * 4, topic="Python"),
    "one endless word": replace(FULL, heading="x" * 300, lines=("y" * 300,), caption="z" * 100, topic="w" * 99),
    "emoji only": replace(FULL, heading="🎉🎉🎉", lines=("✨", "🔥"), caption="👇", topic="🍜", tags=("🎉",)),
    "no lines": replace(FULL, lines=(), caption="", tags=()),
    "other scripts": replace(FULL, heading="Привет, 안녕하세요, สวัสดี", lines=("مرحبا", "नमस्ते"), topic="שלום"),
    "punctuation": replace(FULL, heading="？！……——「」", lines=("（（（（", "。。。。")),
}


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is placed as ever; the scenes beneath it, which take most of the time, are left out."""
    monkeypatch.setattr(Page, "scene", lambda *_: None)


def layouts_in_many_looks() -> list[tuple[str, str, str]]:
    """Each layout in four palettes, with scenes in turn: all palettes and all scenes come up."""
    palettes, scenes = list(PALETTES), cycle(SCENES)
    return [
        (layout, palettes[(i + 2 * step) % len(palettes)], next(scenes))
        for i, layout in enumerate(LAYOUTS)
        for step in range(4)
    ]


def colours_in(image: Image.Image) -> set[Colour]:
    return set(image.get_flattened_data())  # type: ignore[arg-type]


def too_faint(page: Page) -> list[str]:
    """The runs of text that stand on something too like their own colour."""
    ground = page.ground()
    faint = []
    for run in page.runs:
        left, top, right, bottom = run.box()
        box = (max(0, left), max(0, top), min(ground.width, right), min(ground.height, bottom))
        if box[0] >= box[2] or box[1] >= box[3]:
            continue
        # Shrunk a little, evenly: a speck of paper grain under a stroke is no ground.
        patch = ground.crop(box)
        patch = patch.resize((max(1, patch.width // 6), max(1, patch.height // 6)), Image.Resampling.BOX)
        worst = min(contrast(run.type.colour, colour) for colour in colours_in(patch))
        if worst < 4.5:
            faint.append(f"{run.text!r}: {worst:.2f}")
    return faint


def outside(page: Page) -> list[str]:
    width, height = CARD_SIZE
    return [
        run.text
        for run in page.runs
        for left, top, right, bottom in [run.box()]
        if left < 0 or top < 0 or right > width or bottom > height
    ]


def test_there_are_at_least_six_layouts_and_each_kind_of_card_has_one() -> None:
    assert len(LAYOUTS) >= 6
    assert set(SUITING) == set(KINDS)
    assert {layout for names in SUITING.values() for layout in names} == set(LAYOUTS)


@pytest.mark.parametrize(("layout", "palette", "scene"), layouts_in_many_looks())
def test_all_text_is_inside_the_card_and_readable_on_what_is_beneath_it(layout: str, palette: str, scene: str) -> None:
    page = laid_out(replace(FULL, scene=scene), layout=layout, palette=palette, seed=5)

    assert page.runs
    assert outside(page) == []
    assert too_faint(page) == []


@pytest.mark.parametrize(
    ("layout", "words"),
    # Every other pair: each layout gets four kinds of odd words, each kind four or five layouts.
    [(layout, words) for i, layout in enumerate(LAYOUTS) for j, words in enumerate(ODD_WORDS) if (i + j) % 2],
)
def test_odd_words_neither_break_a_layout_nor_leave_it(layout: str, words: str, unpainted: None) -> None:
    page = laid_out(ODD_WORDS[words], layout=layout, palette="celadon", seed=1)

    assert outside(page) == []


@pytest.mark.parametrize("topic", ["สวัสดี กรุงเทพฯ", "مرحبا بالعالم", "🐼🎉", "गर्मी की छुट्टी"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_topic_that_no_font_shows_leaves_neither_a_box_nor_a_gap(topic: str, layout: str, unpainted: None) -> None:
    card = replace(FULL, heading=f"{topic}，走慢一点才好看", lines=(f"第一次遇见{topic}",), topic=topic)

    page = laid_out(card, layout=layout, palette="celadon", seed=1)

    assert page.heading == "这件小事，走慢一点才好看"
    assert page.lines == ("第一次遇见这件小事",)
    assert [run.text for run in page.runs if not all(c.isspace() or run.type.face.shows(c) for c in run.text)] == []


@pytest.mark.parametrize("topic", ["🍜🍜好吃的面👨‍👩‍👧‍👦", "한국 여행 ❤️🇨🇳", "𠮷野家的牛肉饭", "café ñandú ☕️"])
def test_emoji_in_a_topic_leave_no_box_and_the_words_stay(topic: str, unpainted: None) -> None:
    page = laid_out(replace(FULL, heading=topic, topic=topic), layout="poster", palette="celadon", seed=1)

    assert [word for word in plain(topic).split() if word not in page.heading] == []
    assert [run.text for run in page.runs if not all(c.isspace() or run.type.face.shows(c) for c in run.text)] == []


def test_a_card_is_a_png_of_1242_by_1660_and_its_thumbnail_a_webp_of_248_by_332() -> None:
    image = draw(FULL, layout="poster", palette="hutong", seed=1)

    card = Image.open(io.BytesIO(as_png(image)))
    thumb = Image.open(io.BytesIO(thumbnail(image)))

    assert (card.format, card.size) == ("PNG", CARD_SIZE) == ("PNG", (1242, 1660))
    assert (thumb.format, thumb.size) == ("WEBP", THUMB_SIZE) == ("WEBP", (248, 332))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture() -> None:
    first = render_card(FULL, layout="window", palette="palace", seed=7, size=(414, 553))
    again = render_card(FULL, layout="window", palette="palace", seed=7, size=(414, 553))
    other = render_card(FULL, layout="window", palette="palace", seed=8, size=(414, 553))

    assert first == again
    assert first != other


def test_a_strip_shows_all_cards_of_a_post() -> None:
    images = [Image.new("RGB", CARD_SIZE, colour) for colour in ("#a00000", "#00a000", "#0000a0")]

    sheet = Image.open(io.BytesIO(strip(images, "hutong"))).convert("RGB")

    middles = [sheet.getpixel((18 + 155 + i * (310 + 18), sheet.height // 2)) for i in range(3)]
    assert [max(range(3), key=list(middle).__getitem__) for middle in middles] == [0, 1, 2]  # type: ignore[arg-type]


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_leaves_its_sky_calm_and_paints_the_rest(scene: str) -> None:
    from random import Random

    palette = PALETTES["hutong"]
    canvas = Canvas(414, 553, palette.paper)
    SCENES[scene](canvas, palette, Random(3), 0.5)
    image = canvas.finished()

    sky = image.crop((0, 0, 414, int(553 * 0.40)))
    foot = image.crop((0, int(553 * 0.75), 414, 553))
    assert all(contrast(palette.ink, colour) > 10 for colour in colours_in(sky))
    assert len(colours_in(foot)) > 50


def test_neighbouring_cards_of_one_kind_get_different_layouts() -> None:
    from random import Random

    wardrobe = Wardrobe("hutong", "lively", Random(1))

    assert wardrobe.layout_for("list") != wardrobe.layout_for("list")
    assert wardrobe.palette in PALETTES


def test_text_is_set_as_large_as_it_fits_and_never_larger_than_its_box() -> None:
    kind = Type(face("sans"), (0, 0, 0), leading=1.4)

    block = fit("胡同不长，却装得下一座城的日常。" * 3, kind, width=600, height=400, largest=120, smallest=20)

    assert block.height <= 400
    assert all((width_of(line, kind) - 0.5) * block.size <= 600 for line in block.lines)
    larger = fit(
        "胡同不长，却装得下一座城的日常。" * 3, kind, width=600, height=400, largest=120, smallest=int(block.size) + 1
    )
    assert larger.lines[-1].endswith("…")  # it would not have fitted


def test_what_does_not_fit_at_the_smallest_size_ends_with_an_ellipsis() -> None:
    kind = Type(face("sans"), (0, 0, 0))

    block = fit("很长的文字" * 100, kind, width=300, height=120, largest=60, smallest=30)

    assert block.lines[-1].endswith("…")
    assert block.height <= 120


def test_chinese_and_latin_are_set_apart_and_doubled_punctuation_is_drawn_together() -> None:
    kind = Type(face("sans"), (0, 0, 0))

    assert width_of("用Python写", kind) > width_of("用", kind) + width_of("Python", kind) + width_of("写", kind)
    assert width_of("好！”", kind) < width_of("好", kind) + width_of("！", kind) + width_of("”", kind)


def test_dark_palettes_know_that_they_are_dark() -> None:
    assert PALETTES["night"].is_dark
    assert not PALETTES["lemon"].is_dark
    assert luminance(PALETTES["night"].paper) < 0.05


@pytest.mark.parametrize("layout", ["list", "tips", "poster"])
def test_a_topic_of_chinese_and_latin_is_not_parted_in_a_heading(layout: str, unpainted: None) -> None:
    topic = "深夜的 24h 便利店"
    card = replace(FULL, heading=f"关于{topic}，我留意到的", topic=topic, kind="list")

    lines: dict[float, str] = {}
    for run in laid_out(card, layout=layout, palette="blossom", seed=1).runs:
        lines[run.y] = lines.get(run.y, "") + run.text

    assert any("24h" in line and "便利店，" in line for line in lines.values()), lines


def test_an_apostrophe_is_no_wider_than_a_letter(unpainted: None) -> None:
    card = replace(FULL, heading="What Grandmother’s kitchen taught me", topic="Grandmother’s kitchen", language="en")

    words = "".join(run.text for run in laid_out(card, layout="poster", palette="persimmon", seed=1).runs)

    assert "’" not in words
    assert "Grandmother's" in words
