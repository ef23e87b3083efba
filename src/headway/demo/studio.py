"""The job behind the demo: a topic becomes a post, with its progress told at each turn.

`make_post` is what a runner runs, in a thread or a process; `stages(language)` is what its task declares.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

from headway.demo.cards.workers import PictureWorkers
from headway.demo.generators.base import STYLES, Generator
from headway.demo.generators.choice import generator_from
from headway.demo.making import Making, Result
from headway.demo.shelf import Shelf
from headway.demo.studio_words import WORDS
from headway.demo.wish import Wish

__all__ = ["STAGES", "STYLES", "Studio", "generator_note", "make_post", "stages", "style_labels"]

# Kept from post to post. Two at most: a post is one of several that are made at the same time.
_WORKERS = PictureWorkers(min(2, os.cpu_count() or 1))
atexit.register(_WORKERS.close)

# How much of the whole each is, about.
_WEIGHTS = {"title": 5, "text": 25, "tags": 5, "pictures": 55, "layout": 10}


def stages(language: str) -> list[dict[str, Any]]:
    """What to declare when the task is created."""
    words = WORDS[language]
    return [{"name": name, "label": words.stages[name], "weight": weight} for name, weight in _WEIGHTS.items()]


STAGES = stages("zh-CN")


def style_labels(locale: str) -> list[dict[str, str]]:
    """The styles to choose from, the first one by default."""
    return [{"name": name, "label": labels[locale != "zh-CN"]} for name, labels in STYLES.items()]


def generator_note(locale: str) -> str:
    """Who will write the copy, in a sentence for the page. Raises `InvalidValue` where the settings can't be right."""
    generator = generator_from(os.environ)
    words = WORDS[locale]
    return (words.offline_note if generator.is_offline else words.online_note).format(label=generator.label(locale))


def make_post(
    reporter: Any,  # Any: the core's Reporter, or whatever has its methods
    *,
    topic: str,
    data_dir: str | Path,
    cards: int = 4,
    style: str = "lively",
    language: str | None = None,
    seed: int | None = None,
    palette: str | None = None,
) -> Result:
    """Write and draw a post into `data_dir`/TASK_ID, with the generator that the environment names.

    Raises `InvalidValue`, and what `Studio.make` raises.
    """
    wish = Wish.checked(topic, cards, style, language, seed, palette)
    return Studio(Path(data_dir), generator=generator_from(os.environ), workers=_WORKERS).make(reporter, wish)


class Studio:
    """Makes posts. One object serves many jobs at once; constructing starts nothing."""

    def __init__(self, folder: Path, *, generator: Generator, workers: PictureWorkers) -> None:
        self._shelf = Shelf(folder)
        self._generator = generator
        self._workers = workers

    def make(self, reporter: Any, wish: Wish) -> Result:
        """Write and draw a post; the result holds names of files in the task's folder.

        Raises `GeneratorError`, `PictureFailed`, `FontMissing`, `TaskCancelled`; no file is left then.
        """
        folder = self._shelf.fresh(reporter.task_id)
        try:
            with self._workers.batch() as batch:
                return Making(reporter, wish, self._generator, batch, folder).result()
        except BaseException:  # a cancel is one, too
            self._shelf.remove(reporter.task_id)
            raise
