"""Runs the Python blocks of one page, in order and in one namespace: `run_page.py PAGE.json`, in a folder of its own.

A block marked `file=NAME` is written to that file; a module is imported too, as a reader's code would be.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path


def main(plan: str) -> None:
    sys.path.insert(0, str(Path.cwd()))
    page = types.ModuleType("__docs__")
    page.__file__ = str(Path.cwd() / "docs.py")
    sys.modules["__docs__"] = page
    for block in json.loads(Path(plan).read_text("utf-8")):
        # The line numbers of a traceback are those of the page.
        code = "\n" * block["line"] + block["code"]
        if block["file"] is not None:
            path = Path(block["file"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["code"], "utf-8")
            importlib.invalidate_caches()
            if path.suffix == ".py" and not path.name.startswith("test_"):
                name = ".".join(path.with_suffix("").parts)
                sys.modules.pop(name, None)
                page.__dict__[path.stem] = importlib.import_module(name)
            continue
        exec(compile(code, block["page"], "exec"), page.__dict__)


if __name__ == "__main__":
    main(sys.argv[1])
