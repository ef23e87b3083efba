"""The generator that asks a service: any that speaks OpenAI's chat completions API, streaming.

The key goes into one header and nowhere else: no message, no log, no redirect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from headway.demo.errors import GeneratorError
from headway.demo.generators import failures, prompt
from headway.demo.generators.base import Brief, Wait, Written
from headway.demo.generators.sections import Sections
from headway.demo.generators.sse import EventStream
from headway.model.errors import InvalidValue

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-4o-mini"
# More than the longest post; a service that goes on and on is stopped.
MOST_CHARACTERS = 60_000


@dataclass(frozen=True)
class OpenAISettings:
    api_key: str = field(default="", repr=False)
    base_url: str = DEFAULT_BASE_URL
    model: str = DEFAULT_MODEL
    connect_s: float = 10.0
    read_s: float = 60.0  # between two pieces
    whole_s: float = 300.0

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname or address.username or address.query:
            raise InvalidValue(
                "OPENAI_BASE_URL", "must be a URL such as http://localhost:8000/v1, without a user or query"
            )
        if not self.api_key.isascii() or any(c.isspace() for c in self.api_key):
            raise InvalidValue("OPENAI_API_KEY", "must be printable ASCII without spaces")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> OpenAISettings | None:
        """None where neither OPENAI_API_KEY nor OPENAI_BASE_URL is set. Raises `InvalidValue`."""
        key = environment.get("OPENAI_API_KEY", "").strip()
        base_url = environment.get("OPENAI_BASE_URL", "").strip()
        if not key and not base_url:
            return None
        return cls(key, base_url or DEFAULT_BASE_URL, environment.get("OPENAI_MODEL", "").strip() or DEFAULT_MODEL)


class OpenAIGenerator:
    """Copy from a language model; what has arrived is shown as it arrives."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings

    @property
    def is_offline(self) -> bool:
        return False

    def label(self, language: str) -> str:  # noqa: ARG002  # a model is called the same in every language
        return self._settings.model

    def write(self, brief: Brief, wait: Wait) -> Iterator[Written]:
        sections = Sections(brief)
        finished = False
        with self._stream(brief) as stream:
            for data in stream.events(wait):
                if data == "[DONE]":
                    finished = True
                    break
                delta, reason = _read(data, brief.language)
                if delta:
                    yield from sections.feed(delta)
                if sections.length > MOST_CHARACTERS:
                    raise failures.failure("generator_bad_output", brief.language)
                if reason == "content_filter":
                    raise failures.failure("generator_refused", brief.language)
                if reason == "length":
                    raise failures.failure("generator_too_long", brief.language)
                finished = finished or bool(reason)
        if not finished:
            raise failures.failure("generator_cut", brief.language)
        yield from sections.finish()

    def _stream(self, brief: Brief) -> EventStream:
        settings = self._settings
        headers = {"Accept": "text/event-stream, application/json"}
        if settings.api_key:
            headers["Authorization"] = f"Bearer {settings.api_key}"
        return EventStream(
            settings.base_url.rstrip("/") + "/chat/completions",
            body={"model": settings.model, "stream": True, "messages": prompt.messages(brief)},
            headers=headers,
            connect_s=settings.connect_s,
            read_s=settings.read_s,
            whole_s=settings.whole_s,
            language=brief.language,
        )


def _read(data: str, language: str) -> tuple[str, str | None]:
    """The text in one event, and why the service stopped, if it did."""
    try:
        event = json.loads(data)
        if "error" in event:
            raise _told(event["error"], language)
        choices = event["choices"]
        if not choices:
            return "", None  # usage figures come so
        choice = choices[0]
        # A service that does not stream sends the whole `message` at once.
        delta: dict[str, Any] = choice.get("delta") or choice.get("message") or {}
        if delta.get("refusal"):
            raise failures.failure("generator_refused", language)
        content, reason = delta.get("content") or "", choice.get("finish_reason")
        if not isinstance(content, str):
            raise TypeError("content")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise failures.failure("generator_bad_output", language) from error
    return content, reason if isinstance(reason, str) else None


def _told(error: object, language: str) -> GeneratorError:
    """An error that came in the middle of a stream."""
    kind = str(error.get("code") or error.get("type") or "") if isinstance(error, dict) else ""
    code = "generator_rate_limited" if "rate" in kind or "quota" in kind else "generator_unavailable"
    return failures.failure(code, language)
