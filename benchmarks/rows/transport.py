"""What TLS and permessage-deflate cost: the CPU of the server a message."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import HERE, JsonProcess, Server
from benchmarks.table import Row, Samples

ROUNDS = 3
SECONDS = 6.0
VIEWERS, RATE = 100, 20.0


def rows() -> Iterator[Row]:
    if shutil.which("openssl") is None:
        raise SystemExit("openssl is missing: apt-get install openssl")
    with tempfile.TemporaryDirectory() as folder:
        secure = certificate(Path(folder))
        ways = {
            "fast road, plain": ([], "ws", False),
            "fast road, TLS": (secure, "wss", False),
            "ordinary road, plain": (["ordinary"], "ws", False),
            "ordinary road, TLS": (["ordinary", *secure], "wss", False),
            "ordinary road, permessage-deflate": (["ordinary", "deflate"], "ws", True),
            "fast road, permessage-deflate agreed on": (["deflate"], "ws", True),
        }
        samples = {name: Samples() for name in ways}
        for _ in range(ROUNDS):
            for name, (words, scheme, deflate) in ways.items():
                samples[name].values.append(us_a_message(words, scheme, deflate))
    for name, sample in samples.items():
        yield Row(f"server's CPU a message, 100 viewers × 20/s: {name}", sample.median, "µs", note=sample.noise)
    ratio = samples["fast road, TLS"].median / samples["fast road, plain"].median
    yield Row("… TLS against plain, on the fast road", ratio, "×")


def us_a_message(words: list[str], scheme: str, deflate: bool) -> float:
    with Server("headway", store="memory://", words=words) as server:
        server.ask("create", tasks=1)
        url = f"{scheme}://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
        viewers = [sys.executable, str(HERE / "load" / "plain_viewers.py"), url, str(VIEWERS), str(SECONDS)]
        with JsonProcess([*viewers, "deflate" if deflate else "plain"], core=1) as clients:
            assert clients.hear()["joined"] == VIEWERS
            before = server.ask("stat")["cpu_s"]
            server.tell("run", mode="hub", rate=RATE, tasks=1, s=SECONDS)
            seen = clients.hear()
            server.hear()
            used = server.ask("stat")["cpu_s"] - before
    if seen["compressed"] != deflate:
        raise RuntimeError(f"compression was {'not ' if deflate else ''}agreed on")
    return float(used / seen["received"] * 1e6)


def certificate(folder: Path) -> list[str]:
    """A certificate of a day for 127.0.0.1 and its key: two files."""
    made = [str(folder / "certificate.pem"), str(folder / "key.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-days", "1", "-subj", "/CN=127.0.0.1", "-out", made[0], "-keyout", made[1]]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    return made
