"""Draw a specimen sheet of the studio's cards: every layout in every palette, to be looked at.

python scripts/specimen_cards.py cards.png [--topic 老北京胡同] [--seed 1] [--layouts poster,quote] [--width 240]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from PIL import Image

from headway.demo.cards.card import Card
from headway.demo.cards.choice import SUITING
from headway.demo.cards.layouts import LAYOUTS
from headway.demo.cards.palettes import PALETTES
from headway.demo.cards.render import draw
from headway.demo.generators import topics
from headway.demo.generators.base import Brief
from headway.demo.generators.offline import compose

GAP = 8


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw every layout of the studio's cards in every palette.")
    parser.add_argument("file", help="the picture to write, such as cards.png")
    parser.add_argument("--topic", default="老北京胡同")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layouts", default=",".join(LAYOUTS))
    parser.add_argument("--palettes", default=",".join(PALETTES))
    parser.add_argument("--width", type=int, default=240, help="of one card, in pixels")
    chosen = parser.parse_args(arguments)
    layouts, palettes = chosen.layouts.split(","), chosen.palettes.split(",")
    width, height = chosen.width, chosen.width * 4 // 3
    sheet = Image.new("RGB", (len(layouts) * (width + GAP) + GAP, len(palettes) * (height + GAP) + GAP), "#777777")
    cards = {layout: card_for(layout, chosen.topic, chosen.seed) for layout in layouts}
    for row, palette in enumerate(palettes):
        for column, layout in enumerate(layouts):
            image = draw(cards[layout], layout=layout, palette=palette, seed=chosen.seed)
            small = image.resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(small, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    sheet.save(chosen.file)
    print(f"{chosen.file}: {len(layouts)} layouts, {len(palettes)} palettes")


def card_for(layout: str, topic: str, seed: int) -> Card:
    """A card of a kind that the layout is made for, with copy from the offline generator."""
    language = topics.language_of(topic)
    copy = compose(Brief(topic, "gentle", language, 12, seed))
    kinds = [kind for kind, names in SUITING.items() if layout in names]
    number, words = next((i, card) for i, card in enumerate(copy.cards, 1) if card.kind in kinds)
    return Card(
        words.heading, words.lines, words.caption, words.kind,
        topic=topics.subject_of(topic, language), scene=topics.topic_of(topic, language).scene,
        language=language, number=number, of=len(copy.cards), tags=copy.tags[:5],
    )  # fmt: skip


if __name__ == "__main__":
    main()
