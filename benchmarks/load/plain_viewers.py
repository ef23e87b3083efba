"""Viewers in Python, over TLS or with permessage-deflate, which the C generator does not speak.

plain_viewers.py URL VIEWERS SECONDS [deflate]   # prints {"joined": N}, then {"received": N, "compressed": bool}
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import ClientConnection, connect

AT_ONCE = 20


async def join(url: str, context: ssl.SSLContext | None, deflate: bool) -> ClientConnection:
    """In `bench-task-0`, when this returns."""
    socket = await connect(url, ssl=context, compression="deflate" if deflate else None, ping_interval=None)
    await socket.recv()
    await socket.send("40/progress,")
    await socket.recv()
    await socket.send('42/progress,1["join",{"task_id":"bench-task-0"}]')
    while not str(await socket.recv()).startswith("43/progress,1"):
        pass
    return socket


async def main(url: str, viewers: int, seconds: float, deflate: bool) -> dict[str, object]:
    context = None
    if url.startswith("wss:"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    sockets: list[ClientConnection] = []
    while len(sockets) < viewers:
        some = range(min(AT_ONCE, viewers - len(sockets)))
        sockets += await asyncio.gather(*(join(url, context, deflate) for _ in some))
    print(json.dumps({"joined": len(sockets)}), flush=True)
    counts = await asyncio.gather(*(count(socket, seconds) for socket in sockets))
    agreed = all(socket.protocol.extensions for socket in sockets)
    return {"received": sum(counts), "compressed": agreed}


async def count(socket: ClientConnection, seconds: float) -> int:
    received = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                await socket.recv()
                received += 1
    except TimeoutError:
        return received


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), "deflate" in sys.argv[4:]))))
