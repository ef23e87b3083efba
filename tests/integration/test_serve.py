"""What `serve` does for the process that it serves in."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.helpers import finished

SERVED = """
import asyncio, gc, sys
from headway import ProgressManager
from headway.web.gateway import Gateway
from headway.web.serve import new_server

async def main():
    gc.set_threshold(int(sys.argv[1]), 11, 12)
    server = new_server(Gateway(ProgressManager(store="memory://")), port=0)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(*gc.get_threshold())
    server.should_exit = True
    await serving

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("before", "while_served"), [("700", "20000 11 12"), ("50000", "50000 11 12"), ("0", "0 11 12")]
)
def test_cycles_are_looked_for_less_often_never_more_often_and_not_where_they_never_were(
    before: str, while_served: str, tmp_path: Path
) -> None:
    done = finished([sys.executable, "-c", SERVED, before], env=os.environ, cwd=tmp_path)

    assert (done.code, done.out.strip()) == (0, while_served), done.err
