"""The process that draws: `python -m headway.demo.cards.worker`. A request a line in, an answer a line out, both JSON.

It ends when its standard input does, so it can't outlive the server, however that ends. Files are written beside
their place and moved there when they are whole.

Requests: {"make": "ready"}, {"make": "card", "card", "layout", "palette", "seed", "file", "thumb"},
{"make": "strip", "files", "palette", "file"}; answers: {"ok": true, …} or {"ok": false, "code", "message"}.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from headway.demo.cards.card import CARD_SIZE, Card
from headway.demo.cards.fonts import face
from headway.demo.cards.render import as_png, draw, strip, thumbnail
from headway.demo.errors import FontMissing
from headway.demo.shelf import PART


def main() -> None:
    # What a library may print must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        try:
            answers.write(json.dumps(answered(line)) + "\n")
        except BrokenPipeError:
            os._exit(0)  # The server has gone meanwhile; an orderly end would try to write the rest, and complain.


def answered(line: str) -> dict[str, Any]:
    try:
        request = json.loads(line)
        return {"ok": True, **_MAKERS[request["make"]](request)}
    except FontMissing as error:
        return {"ok": False, "code": error.code, "message": str(error)}
    except Exception as error:  # noqa: BLE001  # the boundary of the process: it is told to the server, which logs it
        return {"ok": False, "code": "picture_failed", "message": f"{type(error).__name__}: {error}"}


def _make_card(request: dict[str, Any]) -> dict[str, Any]:
    card = Card.from_json(request["card"])
    image = draw(card, layout=request["layout"], palette=request["palette"], seed=request["seed"])
    _write(Path(request["file"]), as_png(image))
    _write(Path(request["thumb"]), thumbnail(image))
    return {"width": CARD_SIZE[0], "height": CARD_SIZE[1]}


def _make_strip(request: dict[str, Any]) -> dict[str, Any]:
    images = []
    for name in request["files"]:
        with Image.open(name) as image:
            image.load()
            images.append(image)
    _write(Path(request["file"]), strip(images, request["palette"]))
    return {}


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + PART)
    part.write_bytes(content)
    part.replace(path)


def _be_ready(_request: dict[str, Any]) -> dict[str, Any]:
    """Everything is loaded by now; is there a font?"""
    face("sans")
    return {}


_MAKERS = {"ready": _be_ready, "card": _make_card, "strip": _make_strip}

if __name__ == "__main__":
    main()
