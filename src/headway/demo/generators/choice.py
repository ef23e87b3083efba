"""Which generator writes: a service where the environment names one, our own where not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from headway.demo.generators.base import Generator
from headway.demo.generators.offline import OfflineGenerator, Pace
from headway.model.errors import InvalidValue

LONGEST_PAUSE_MS = 1_000


def generator_from(environment: Mapping[str, str]) -> Generator:
    """Raises `InvalidValue` where a variable can't be right, `MissingExtra` without httpx."""
    if not environment.get("OPENAI_API_KEY", "").strip() and not environment.get("OPENAI_BASE_URL", "").strip():
        return OfflineGenerator(_pace(environment.get("HEADWAY_DEMO_PAUSE_MS", "").strip()))
    # Imported only when it is used: the offline studio needs no HTTP client.
    from headway.demo.generators.openai import OpenAIGenerator, OpenAISettings

    settings = OpenAISettings.from_environment(environment)
    assert settings is not None
    return OpenAIGenerator(settings)


def _pace(pause_ms: str) -> Pace:
    if not pause_ms:
        return Pace()
    if not re.fullmatch("[0-9]{1,4}", pause_ms) or int(pause_ms) > LONGEST_PAUSE_MS:
        limit = f"must be a whole number from 0 to {LONGEST_PAUSE_MS:,}"
        raise InvalidValue("HEADWAY_DEMO_PAUSE_MS", f"{limit}; it is {pause_ms!r}")
    return Pace(pause_s=int(pause_ms) / 1000)
