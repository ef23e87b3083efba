"""`dataclasses.replace` for frozen values with slots, in a ninth of its time: each flush makes several of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import replace as replace

    Value = TypeVar("Value")

    def changed(value: Value, changes: dict[str, Any]) -> Value:
        """`replace` for who has the changes in a dict: as keywords, names that were just read cost most."""
else:
    import sys

    _changers = {}

    def _changer_of(kind):
        """What makes a draft of a value, a copy of the same layout that is not frozen, changes it and lets it become
        one of its kind.

        A plain assignment takes the interpreter a tenth of a call that goes past the freeze. Written out field by
        field, as `dataclasses` writes its own: a loop takes twice as long.
        """
        names = kind.__slots__
        scope = {"draft": type(kind.__name__, kind.__bases__, {"__slots__": names}), "kind": kind}
        assignments = (f" new.{name} = value.{name}" for name in names)
        lines = [
            "def change(value, changes):",
            " new = draft()",
            *assignments,
            " for name, changed in changes.items():",
            "  setattr(new, name, changed)",
            " new.__class__ = kind",
            " return new",
        ]
        exec("\n".join(lines), scope)
        _changers[kind] = scope["change"]
        return scope["change"]

    def changed(value, changes):
        kind = value.__class__
        change = _changers.get(kind) or _changer_of(kind)
        try:
            return change(value, changes)
        except AttributeError:
            unknown = next(name for name in changes if name not in kind.__slots__)
            raise TypeError(f"{kind.__name__} has no field {unknown!r}") from None

    def replace(value, /, **changes):
        """The same value with other fields; raises TypeError for a name that is none. No `__post_init__` is run."""
        return changed(value, changes)

    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        # There all threads are stopped for a value to become one of another class.
        from dataclasses import replace

        def changed(value, changes):
            return replace(value, **changes)
