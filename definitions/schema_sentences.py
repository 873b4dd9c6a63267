"""What is said of one value that does not keep its schema: a code, a sentence, a hint."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from definitions.message import Message, either, say
from definitions.problems import did_you_mean
from definitions.source import QUOTE_HINT, Mapping, Node, Scalar, Sequence, data

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Sentence = tuple[str, str, str]

_KIND_OF_VALUE = {
    "string": "text",
    "object": say("keys and values"),
    "array": say("a list"),
    "boolean": say("true or false"),
    "integer": say("a whole number"),
    "number": say("a number"),
    "null": say("nothing"),
}


def schema_of(error: ValidationError) -> dict[str, Any]:
    """Return the schema that was not kept."""
    return error.schema if isinstance(error.schema, dict) else {}


def value(error: ValidationError) -> Any:
    """Return what stands in the schema behind the keyword that was not kept."""
    return error.validator_value


def keys(error: ValidationError) -> list[Any]:
    """Return the keys or values of what stands there."""
    return list(value(error))


def _type(error: ValidationError, node: Node) -> Sentence:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    expected = either(_KIND_OF_VALUE[str(name)] for name in wanted if name != "null")
    hint = ""
    if "string" in wanted and isinstance(node, Scalar):
        hint = (
            say("Put it in quotes: '{written}'.", written=node.text)
            if node.text
            else say("Write something behind the colon.")
        )
    elif wanted == ["boolean"] and isinstance(node, Scalar) and node.text.lower() in {"yes", "on", "no", "off"}:
        hint = say("Write {value}.", value="true" if node.text.lower() in {"yes", "on"} else "false")
    elif isinstance(node, Mapping | Sequence) and "string" in wanted:
        expression = "boolean" in wanted  # only expressions may be a text or a truth
        hint = QUOTE_HINT if expression else say("Write one word or sentence.")
    return (
        "schema.wrong_type",
        say("Here stands {node}; expected is {expected}.", node=_shown(node), expected=expected),
        hint,
    )


def _truth_or_condition(error: ValidationError, node: Node) -> Sentence:
    """Say what is wrong where one of several shapes is asked for: true, false or a condition; else whatever it is."""
    if {"type": "boolean"} not in list(value(error)):
        return wrong(error, node)
    hint = say("An expression stands behind an '=': =record.…")
    if isinstance(node, Scalar) and node.text.lower() in {"yes", "on", "no", "off"}:
        hint = say("Write {value}.", value="true" if node.text.lower() in {"yes", "on"} else "false")
    expected = either([_KIND_OF_VALUE["boolean"], say("an expression")])
    return (
        "schema.wrong_type",
        say("Here stands {node}; expected is {expected}.", node=_shown(node), expected=expected),
        hint,
    )


def _shown(node: Node) -> str:
    if isinstance(node, Mapping):
        return say("a mapping of keys")
    if isinstance(node, Sequence):
        return say("a list")
    if node.value is None:
        return say("nothing")
    if isinstance(node.value, str):
        return say("the text '{written}'", written=_short(node.text))
    return say("the value {written}", written=node.text)


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"


def _enum(error: ValidationError, node: Node) -> Sentence:
    word = node.text if isinstance(node, Scalar) else _shown(node)
    known = [str(value) for value in keys(error)]
    return (
        "schema.choice",
        say("'{word}' is not one of the possible values here.", word=_short(word)),
        did_you_mean(word, known) or say("one of: {names}", names=", ".join(known)),
    )


def _constant(error: ValidationError, node: Node) -> Sentence:
    return (
        "schema.choice",
        say("Here stands {node}.", node=_shown(node)),
        say("Write {value}.", value=json.dumps(error.validator_value)),
    )


def _too_few(_: ValidationError, __: Node) -> Sentence:
    return "schema.empty", say("Something must stand here."), ""


def _too_many(error: ValidationError, _: Node) -> Sentence:
    return (
        "schema.too_many",
        say("At most {most} may stand here.", most=error.validator_value),
        "",
    )


def _repeated(_: ValidationError, node: Node) -> Sentence:
    items: list[Any] = list(data(node)) if isinstance(node, Sequence) else []
    twice = next((item for number, item in enumerate(items) if item in items[:number]), "")
    return "schema.repeated", say("'{twice}' stands twice in this list.", twice=twice), say("Keep one of them.")


def _low(error: ValidationError, _: Node) -> Sentence:
    return (
        "schema.out_of_range",
        say("{value} is less than {least}.", value=error.instance, least=error.validator_value),
        "",
    )


def _high(error: ValidationError, _: Node) -> Sentence:
    return (
        "schema.out_of_range",
        say("{value} is more than {most}.", value=error.instance, most=error.validator_value),
        "",
    )


def wrong(error: ValidationError, _: Node) -> Sentence:
    """Say what belongs there, in the words of the schema."""
    described = str(schema_of(error).get("description", ""))
    return "schema.wrong", say("This does not fit here."), Message(described)


SENTENCES: dict[str, Callable[[ValidationError, Node], Sentence]] = {
    "type": _type,
    "anyOf": _truth_or_condition,
    "enum": _enum,
    "const": _constant,
    "minItems": _too_few,
    "minProperties": _too_few,
    "maxItems": _too_many,
    "uniqueItems": _repeated,
    "minimum": _low,
    "maximum": _high,
}
"""What is said of a value, by the keyword that it does not keep."""
