"""Variables of the environment: how each is read, and what is said when one cannot be understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from definitions.message import Message, say


class SettingError(ValueError):
    """A variable of the environment says what cannot be understood: `message` names it and shows one that can."""

    def __init__(self, message: Message) -> None:
        """Keep the message."""
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment: which field it says, how it is read, and an example of it."""

    name: str
    field: str
    read: Callable[[str], Any] = str
    example: str = ""

    def value(self, text: str) -> Any:
        """Return what the text says; raises `SettingError`."""
        try:
            return self.read(text)
        except ValueError:
            message = say(
                "{name} is not understood: {text}. Say it as in {example}.",
                name=self.name,
                text=text,
                example=f"{self.name}={self.example}",
            )
            raise SettingError(message) from None


def fields_of(variables: Iterable[Variable], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what an environment says, by field; a variable that is missing or empty says nothing."""
    given = [(variable, environment.get(variable.name)) for variable in variables]
    return {variable.field: variable.value(text) for variable, text in given if text}
