"""What is needed of `dataclasses` and of `typing.NamedTuple` here, for `import headway` in half of its time.

`dataclasses` takes 14 ms to import, for `inspect` and what belongs to it, and 1 to 6 ms for each class, whose methods
it writes and compiles at once; `NamedTuple` compiles each annotation. Here an `__init__` is written when the first
value is made, and the other methods are the same for all. What `dataclasses.fields`, `replace` and `asdict` need, and
`inspect.signature`, is made when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from typing import NamedTuple as NamedTuple

    def defaults_of(kind: type) -> dict[str, Any]:
        """The defaults of its fields, by name; a mark of its own where there is none."""
else:
    from collections import namedtuple
    from operator import attrgetter

    MISSING = object()

    class field:  # noqa: N801 - as it is called there
        """A default, and what else there is to say of a field."""

        __slots__ = ("compare", "default", "repr")

        def __init__(self, *, default=MISSING, compare=True, repr=True):  # noqa: A002 - as it is called there
            self.default = default
            self.compare = compare
            self.repr = repr

    def dataclass(*, slots, frozen=False, kw_only=False):  # noqa: ARG001
        """A class of annotated fields, without inherited ones. `slots` is there to be said: it has them."""

        def made(kind):
            fields = {name: _field(kind.__dict__.get(name, MISSING)) for name in kind.__annotations__}
            members = {name: member for name, member in kind.__dict__.items() if name not in (*fields, *_NOT_COPIED)}
            usual = _methods(fields, frozen=frozen, kw_only=kw_only)
            new = type(kind)(kind.__name__, kind.__bases__, {**usual, **members, "__slots__": tuple(fields)})
            new.__qualname__ = kind.__qualname__
            return new

        return made

    def defaults_of(kind):
        return {name: one.default for name, one in kind.__own_fields__.items()}

    class _NamedTupleMeta(type):
        def __new__(_, name, __, members):
            names = tuple(members["__annotations__"])
            defaults = [members[one] for one in names if one in members]
            new = namedtuple(name, names, defaults=defaults, module=members["__module__"])
            new.__annotations__ = members["__annotations__"]
            for one, member in members.items():
                if one not in names and one not in _NOT_METHODS:
                    setattr(new, one, member)
            return new

    NamedTuple = type.__new__(_NamedTupleMeta, "NamedTuple", (), {})
    """Subclassed as that of `typing`: annotated fields, defaults, methods."""

    _NOT_METHODS = ("__annotations__", "__module__", "__qualname__")
    _NOT_COPIED = ("__dict__", "__weakref__")

    def _field(default):
        return default if default.__class__ is field else field(default=default)

    def _methods(fields, *, frozen, kw_only):
        names = tuple(fields)
        key = attrgetter(*(name for name, one in fields.items() if one.compare))

        def init(self, *args, **kwargs):
            kind = self.__class__
            kind.__init__ = _written_init(fields, kind, frozen=frozen, kw_only=kw_only)
            kind.__init__(self, *args, **kwargs)

        def eq(self, other):
            return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

        methods = {
            "__own_fields__": fields,
            "__match_args__": () if kw_only else names,
            "__dataclass_fields__": _OfTwin(lambda twin: twin.__dataclass_fields__, fields, frozen, kw_only),
            "__signature__": _OfTwin(_signature, fields, frozen, kw_only),
            "__init__": init,
            "__eq__": eq,
            "__hash__": None,
            "__repr__": _repr,
        }
        if frozen:
            methods |= {
                "__hash__": lambda self: hash(key(self)),
                "__setattr__": _refuse,
                "__delattr__": _refuse,
                # What is frozen can't be set by pickle's own way.
                "__getstate__": _state,
                "__setstate__": _set_state,
            }
        return methods

    def _written_init(fields, kind, *, frozen, kw_only):
        scope = {"_set": object.__setattr__} | {f"_{name}": one.default for name, one in fields.items()}
        parameters = [name if one.default is MISSING else f"{name}=_{name}" for name, one in fields.items()]
        lines = [f" _set(self, {name!r}, {name})" if frozen else f" self.{name} = {name}" for name in fields]
        if hasattr(kind, "__post_init__"):
            lines.append(" self.__post_init__()")
        head = ", ".join(["self", *(["*"] if kw_only else []), *parameters])
        exec("\n".join([f"def __init__({head}):", *lines]), scope)
        scope["__init__"].__qualname__ = f"{kind.__qualname__}.__init__"
        return scope["__init__"]

    def _repr(self):
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, one in self.__own_fields__.items() if one.repr)
        return f"{self.__class__.__qualname__}({shown})"

    def _refuse(_, name, *value):
        from dataclasses import FrozenInstanceError  # Here: see the top.

        raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")

    def _state(self):
        return [getattr(self, name) for name in self.__slots__]

    def _set_state(self, state):
        for name, value in zip(self.__slots__, state, strict=True):
            object.__setattr__(self, name, value)

    class _OfTwin:
        """Something of the class that `dataclasses` would have made of the same fields, when it is asked for."""

        def __init__(self, take, fields, frozen, kw_only):
            self._take = take
            self._fields = fields
            self._options = {"frozen": frozen, "kw_only": kw_only}

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, value, kind):
            import dataclasses  # Here: see the top.

            members = {"__annotations__": kind.__annotations__, "__module__": kind.__module__}
            for name, one in self._fields.items():
                default = dataclasses.MISSING if one.default is MISSING else one.default
                members[name] = dataclasses.field(default=default, compare=one.compare, repr=one.repr)
            taken = self._take(dataclasses.dataclass(**self._options)(type(kind.__name__, (), members)))
            setattr(kind, self._name, taken)
            return taken

    def _signature(twin):
        import inspect  # Here: see the top.

        return inspect.signature(twin)
