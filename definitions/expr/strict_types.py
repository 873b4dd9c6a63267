"""The types of strict CEL: type parameters and what may be assigned to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from definitions.expr.types import DYN, ListOf, MapOf, Scalar, Type

FLEXIBLE = "?"
"""How the name of a type parameter begins."""


@dataclass(slots=True)
class Parameters:
    """The type parameters of an expression, and the types found for them."""

    found: dict[Scalar, Type]
    count: int = 0

    def fresh(self) -> Scalar:
        """Return a parameter that stands nowhere yet."""
        self.count += 1
        return Scalar(f"{FLEXIBLE}{self.count}")

    def instance(self, kinds: Iterable[Type]) -> list[Type]:
        """Return the types of a signature with parameters of its own."""
        own: dict[Scalar, Type] = {}
        return [self._instance(kind, own) for kind in kinds]

    def _instance(self, kind: Type, own: dict[Scalar, Type]) -> Type:
        match kind:
            case ListOf(of=of):
                return ListOf(self._instance(of, own))
            case MapOf(key=key, value=value):
                return MapOf(self._instance(key, own), self._instance(value, own))
        if is_parameter(kind):
            return own.setdefault(kind, self.fresh())
        return kind

    def assign(self, given: Iterable[Type], wanted: Iterable[Type]) -> bool:
        """Whether each type may stand where its counterpart is wanted; what that says of parameters is kept."""
        before = dict(self.found)
        if all(self._assignable(one, other) for one, other in zip(given, wanted, strict=True)):
            return True
        self.found = before
        return False

    def _assignable(self, given: Type, wanted: Type) -> bool:
        if given == wanted:
            return True
        if is_parameter(wanted):
            return self._bound(wanted, given)
        if is_parameter(given):
            return self._bound(given, wanted)
        if DYN in (given, wanted):
            return True
        return all(map(self._assignable, parts(given), parts(wanted))) if _alike(given, wanted) else False

    def _bound(self, parameter: Scalar, kind: Type) -> bool:
        known = self.found.get(parameter)
        if known is not None:
            if known == kind:
                return True
            if not self._assignable(kind, known):
                return False
            kind = self.general(kind, known)
        if not self._stands_in(parameter, kind):
            self.found[parameter] = kind
            return True
        return known is not None

    def _stands_in(self, parameter: Scalar, kind: Type) -> bool:
        if is_parameter(kind) and kind != parameter:
            return kind in self.found and self._stands_in(parameter, self.found[kind])
        return kind == parameter or any(self._stands_in(parameter, part) for part in parts(kind))

    def general(self, one: Type, other: Type) -> Type:
        """Return the one of two types that says less."""
        return one if self._says_less(one, other) else other

    def _says_less(self, one: Type, other: Type) -> bool:
        if one == DYN or is_parameter(one):
            return True
        if other == DYN or is_parameter(other) or not _alike(one, other):
            return False
        return all(map(self._says_less, parts(one), parts(other)))

    def joined(self, one: Type, other: Type) -> Type:
        """Return the type of a list that has elements of two types."""
        return self.general(one, other) if self.assign((one,), (other,)) else DYN

    def resolved(self, kind: Type, *, final: bool = False) -> Type:
        """Return a type with what was found for its parameters; at the end the others may be anything."""
        match kind:
            case ListOf(of=of):
                return ListOf(self.resolved(of, final=final))
            case MapOf(key=key, value=value):
                return MapOf(self.resolved(key, final=final), self.resolved(value, final=final))
        if is_parameter(kind):
            known = self.found.get(kind)
            if known is not None:
                return self.resolved(known, final=final)
            return DYN if final else kind
        return kind


def is_parameter(kind: Type) -> TypeGuard[Scalar]:
    """Whether a type is one that is still to be found."""
    return isinstance(kind, Scalar) and kind.name.startswith(FLEXIBLE)


def parts(kind: Type) -> tuple[Type, ...]:
    """Return the types that a type is made of."""
    match kind:
        case ListOf(of=of):
            return (of,)
        case MapOf(key=key, value=value):
            return (key, value)
    return ()


def _alike(one: Type, other: Type) -> bool:
    """Whether two types differ at most in what they are made of."""
    return one == other or (type(one) is type(other) and isinstance(one, ListOf | MapOf))


Declared = Mapping[str, Type]
