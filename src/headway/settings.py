"""Settings from the environment, checked: HEADWAY_HOST, _PORT, _STORE, _SECRET, _ACCESS. Set but empty is not set."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Literal

from headway.model import limits
from headway.model.errors import InvalidValue
from headway.model.redacting import without_secrets
from headway.model.values import dataclass, field

Access = Literal["capability", "signed"]

STORE_FORMS = "memory://, sqlite:///PATH or redis://HOST:PORT/DB"
SECRET_CHARS = 8

_STORES = re.compile(r"memory://|sqlite:///.+|(redis|rediss|valkey|valkeys)(\+sentinel)?://.+|unix://.+", re.DOTALL)
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, with the defaults of what it doesn't say."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0 is any free one."""
    store: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """The first signs, all are believed: put a new one in front, and drop the old one when its tokens have expired."""
    access: Access = "capability"


def from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """Raises `InvalidValue` that names the variable."""
    given = {name: environ[name].strip() for name in _READERS if environ.get(name, "").strip()}
    read = {_READERS[name][0]: _READERS[name][1](value) for name, value in given.items()}
    settings = Settings(**read)  # type: ignore[arg-type]  # each reader gives its field's type
    if settings.access == "signed" and not settings.secrets:
        raise InvalidValue("HEADWAY_SECRET", "must be set where HEADWAY_ACCESS is signed: tokens are signed with it")
    return settings


def store_url(value: str, name: str = "store") -> str:
    """The URL of a store, of a kind that there is."""
    if not _STORES.fullmatch(value):
        raise InvalidValue(name, f"must be {STORE_FORMS}; it is {without_secrets(value)!r}")
    return value


def _host(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        # What looks like an IPv4 address and is none would be looked up as a name, in vain.
        if _HOST_NAME.fullmatch(value) and not re.fullmatch(r"[0-9.]+", value):
            return value
    raise InvalidValue("HEADWAY_HOST", f"must be an address or a host name, without scheme and port; it is {value!r}")


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65_535:
        raise InvalidValue("HEADWAY_PORT", f"must be a whole number from 0 to 65535; it is {value!r}")
    return int(value)


def _store(value: str) -> str:
    return store_url(value, "HEADWAY_STORE")


def _secrets(value: str) -> tuple[str, ...]:
    secrets = tuple(secret.strip() for secret in value.split(","))
    # The value is not shown.
    if any(len(secret) < SECRET_CHARS for secret in secrets):
        raise InvalidValue(
            "HEADWAY_SECRET",
            f"must be at least {SECRET_CHARS} random characters (several, for rotation, are parted by commas); "
            "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return secrets


_READERS = {
    "HEADWAY_HOST": ("host", _host),
    "HEADWAY_PORT": ("port", _port),
    "HEADWAY_STORE": ("store", _store),
    "HEADWAY_SECRET": ("secrets", _secrets),
    "HEADWAY_ACCESS": ("access", limits.access),
}
