"""Values that travel as JSON objects, and can be read as such in Python too."""

from __future__ import annotations

from typing import Any


class NamedFields:
    """`value["name"]` is `value.name`, and `dict(value)` has all of them. For dataclasses with slots."""

    __slots__: tuple[str, ...] = ()

    def keys(self) -> tuple[str, ...]:
        return self.__slots__

    def __getitem__(self, name: str) -> Any:
        if name not in self.__slots__:
            raise KeyError(name)
        return getattr(self, name)
