"""Long polling by which nothing gets lost: no client acknowledges a poll, and its answer may be lost on the way.

Clients that see a poll fail begin a new session, and join anew. But browsers and HTTP libraries repeat a request by
themselves, on another connection, and so may a proxy: then what was answered is gone, and nobody has noticed. So a
session ends when a poll comes again, which shows by its mark `t`, another one for each poll. Where a client sends no
mark, an answer ends with a PING, and the next one waits for the PONG.
"""

from __future__ import annotations

from typing import Any

from engineio.async_socket import AsyncSocket
from engineio.packet import CLOSE, NOOP, PING, PONG, Packet
from engineio.socket import Socket

from headway.web.wire import WireError

FIRST_PONG_WITHIN_S = 1.0
"""A client by hand may never send a PONG: it is waited for so long, once, and then served as it is."""


class PollTurns:
    """The polls of one session."""

    __slots__ = ("_has_begun", "_is_mute", "_last_mark", "_pongs", "_unanswered", "confirmed")

    def __init__(self, confirmed: Any) -> None:
        """`confirmed`: an event of the server's async mode, set when the answer that waited for a PONG has it."""
        self.confirmed = confirmed
        self._has_begun = False
        self._last_mark = ""
        self._is_mute = False
        self._pongs = False
        self._unanswered = 0

    def begin(self, mark: str) -> bool:
        """A poll with this mark, or ''. False where it must wait: until `confirmed`, then `check`.

        Raises `WireError` where the session must end. One at a time may call it.
        """
        if self._has_begun or (mark and mark == self._last_mark):
            raise _lost()
        self._has_begun = True
        self._last_mark = mark
        return bool(mark) or not self._waits()

    def patience_s(self, pong_within_s: float) -> float:
        """How long it must wait at most."""
        return pong_within_s if self._pongs else min(pong_within_s, FIRST_PONG_WITHIN_S)

    def check(self) -> None:
        """It has waited. Raises `WireError` where that was in vain, and the session must end."""
        if not self._waits():
            return
        if self._pongs:
            raise _lost()
        self._is_mute = True

    def end(self) -> None:
        """Its answer is about to leave, or there will be none."""
        self._has_begun = False

    def answer(self, packets: list[Any]) -> list[Any]:
        """What to answer it with, where this was to be the answer. (The handshake is no poll.)"""
        if not self._has_begun or self._last_mark:
            return packets
        if any(packet.packet_type in (CLOSE, NOOP) for packet in packets):
            return packets  # It goes on elsewhere, or not at all.
        if self._is_mute:
            return packets
        self.confirmed.clear()
        self._unanswered = 1 + sum(packet.packet_type == PING for packet in packets)
        return [*packets, Packet(PING)]

    def heard(self, packet: Any) -> None:
        if packet.packet_type == PONG:
            self._pongs = True
            self._is_mute = False
            self._unanswered = max(0, self._unanswered - 1)
            if not self._unanswered:
                self.confirmed.set()

    def _waits(self) -> bool:
        return self._unanswered > 0 and not self._is_mute


def _lost() -> WireError:
    return WireError("invalid_request", "the answer to a poll may have been lost; connect again")


class PolledSocket(Socket):  # type: ignore[misc]  # engineio ships no types
    """What engineio's own is made into: it makes its sockets itself."""

    headway_turns: PollTurns

    def poll(self) -> list[Any]:
        packets: list[Any] = super().poll()
        return packets if self.upgraded or self.upgrading else self.headway_turns.answer(packets)

    def receive(self, pkt: Any) -> None:
        self.headway_turns.heard(pkt)
        super().receive(pkt)


class PolledAsyncSocket(AsyncSocket):  # type: ignore[misc]  # engineio ships no types
    """The same on asyncio."""

    headway_turns: PollTurns

    async def poll(self) -> list[Any]:
        packets: list[Any] = await super().poll()
        return packets if self.upgraded or self.upgrading else self.headway_turns.answer(packets)

    async def receive(self, pkt: Any) -> None:
        self.headway_turns.heard(pkt)
        await super().receive(pkt)


def watch_polls(socket: Any, confirmed: Any) -> PollTurns:
    """From now on see to the polls of this engineio socket."""
    turns = PollTurns(confirmed)
    socket.headway_turns = turns
    socket.__class__ = PolledAsyncSocket if isinstance(socket, AsyncSocket) else PolledSocket
    return turns
