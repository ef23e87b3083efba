"""Values that travel as JSON objects, and can be read as such in Python too."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from dataclasses import Field


class NamedFields:
    """`value["name"]` is `value.name`, and `dict(value)` has all of them. For dataclasses."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def keys(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self))

    def __getitem__(self, name: str) -> Any:
        if name not in self.__dataclass_fields__:
            raise KeyError(name)
        return getattr(self, name)
