"""Which generator writes: a service where the environment names one, our own where not."""

from __future__ import annotations

from collections.abc import Mapping

from headway.demo.generators.base import Generator
from headway.demo.generators.offline import OfflineGenerator


def generator_from(environment: Mapping[str, str]) -> Generator:
    """Raises `InvalidValue` where OPENAI_BASE_URL or OPENAI_API_KEY can't be right, `MissingExtra` without httpx."""
    if not environment.get("OPENAI_API_KEY", "").strip() and not environment.get("OPENAI_BASE_URL", "").strip():
        return OfflineGenerator()
    # Imported only when it is used: the offline studio needs no HTTP client.
    from headway.demo.generators.openai import OpenAIGenerator, OpenAISettings

    settings = OpenAISettings.from_environment(environment)
    assert settings is not None
    return OpenAIGenerator(settings)
