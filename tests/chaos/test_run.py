"""A short run of what `make chaos` does for minutes or hours: real servers and workers, killed; real sockets, cut."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys

import pytest

from tests.chaos.proxy import FAULTS, Proxy
from tests.helpers import ROOT, run_async


@pytest.mark.timeout(600)  # On a busy machine most of it goes into starting what was killed.
@pytest.mark.parametrize(
    ("seconds", "options"),
    [(12, ["--viewers", "12", "--often"]), (7, ["--viewers", "6", "--power", "--often"])],
    ids=["kills, cuts and store faults", "power cuts"],
)
def test_no_promise_is_broken_while_everything_else_is(seconds: int, options: list[str]) -> None:
    # A process of its own: clients that are cut off in the middle leave things behind that only its end tidies up.
    seed = os.environ.get("HEADWAY_CHAOS_SEED", str(random.SystemRandom().randrange(1_000_000)))
    length = ["--minutes", str(seconds / 60), "--seed", seed, "--workers", "2"]

    ran = subprocess.run(
        [sys.executable, "tests/chaos/run.py", *length, *options], cwd=ROOT, capture_output=True, text=True, timeout=540
    )

    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    events, faults, kills = (
        int(count.replace(",", ""))
        for count in re.findall(r"total: ([0-9,]+) viewer events, ([0-9,]+) faults, ([0-9,]+) kills", said)[0]
    )
    assert min(events, faults, kills) > 0, said  # How many, only the machine's other work decides.


def test_the_proxy_does_each_fault_to_a_connection() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            for fault in FAULTS:
                async with Proxy(port) as proxy:
                    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
                    writer.write(b"before")
                    assert await reader.readexactly(6) == b"before"

                    assert proxy.inject(fault, random.Random(1), lasting_s=0.2)
                    writer.write(b"during")
                    try:
                        came = await reader.readexactly(6)
                    except (asyncio.IncompleteReadError, ConnectionError):
                        came = b""

                    assert came == (b"" if fault in ("cut", "half_open") else b"during")
                    writer.close()

    run_async(main())
