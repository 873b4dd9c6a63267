"""The shape of documents: JSON Schema's verdicts as problems with places and hints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from definitions.message import Message, say
from definitions.problems import Place, Problem, did_you_mean
from definitions.schema_sentences import SENTENCES, keys, schema_of, value, wrong
from definitions.shape import Fits, predicate
from definitions.source import QUOTE_HINT, Document, Entry, Mapping, Node, Scalar, Sequence, data

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

SCHEMAS = Path(__file__).parent / "schemas"
_PARTS = "parts.json"
_NAME = "^[a-z][a-z0-9_]*$"

Path_ = tuple[str | int, ...]


@cache
def kinds() -> tuple[str, ...]:
    """Return the kinds of document that there are, sorted."""
    return tuple(sorted(path.stem for path in SCHEMAS.glob("*.json") if path.name != _PARTS))


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a schema as read from its file."""
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    return loaded


@cache
def validator(kind: str) -> Draft202012Validator:
    """Return what finds all that is wrong with documents of a kind."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - it takes long, and few packs need it
    from referencing import Registry, Resource  # noqa: PLC0415 - the same

    registry: Registry[Any] = Registry().with_resource(_PARTS, Resource.from_contents(schema("parts")))
    flat = _inlined(schema(kind), kind, ())
    return Draft202012Validator(flat, registry=registry)


@cache
def fits(kind: str) -> Fits:
    """Return what says quickly whether a document of a kind has its shape; where it says no, `validator` may differ."""
    return predicate(_inlined(schema(kind), kind, ()), kind, _referred)


def _referred(target: str, home: str) -> tuple[dict[str, Any], str]:
    """Return what a reference in a schema's file means, and that file."""
    file, _, path = target.partition("#/$defs/")
    owner = file.removesuffix(".json") or home
    return schema(owner)["$defs"][path], owner


def _inlined(node: Any, home: str, inside: tuple[str, ...]) -> Any:
    """Return a schema with its references written out, those into themselves aside: looking them up takes long."""
    if isinstance(node, list):
        return [_inlined(item, home, inside) for item in node]
    if not isinstance(node, dict):
        return node
    target = node.get("$ref")
    if isinstance(target, str):
        found, owner = _referred(target, home)
        absolute = f"{owner}.json{target[target.index('#') :]}"
        beside = {key: value for key, value in node.items() if key != "$ref"}
        if absolute in inside:
            return beside | {"$ref": absolute if owner == "parts" else target}
        return _inlined(found, owner, (*inside, absolute)) | beside
    return {key: _inlined(value, home, inside) for key, value in node.items()}


def validate(document: Document, kind: str) -> tuple[list[Problem], Mapping | None]:
    """Return what is wrong with a document's shape, and the document without those parts (None: nothing usable)."""
    node = document.node
    if node is None or fits(kind)(node):
        return [], node
    problems: list[Problem] = []
    thorough = validator(kind)
    for round_ in range(6):
        errors = list(thorough.iter_errors(data(node)))
        if not errors:
            return problems, node
        dropped: set[Path_] = set()
        for error in errors:
            found, paths = _explain(error, node)
            dropped.update(paths)
            if round_ == 0:
                problems += found
        if () in dropped:
            return problems, None
        node = _without(node, dropped, ())
    return problems, None


def _without(node: Mapping, dropped: set[Path_], path: Path_) -> Mapping:
    entries = {
        key: Entry(entry.key, _pruned(entry.value, dropped, (*path, key)))
        for key, entry in node.entries.items()
        if (*path, key) not in dropped
    }
    return Mapping(node.place, entries, node.flow)


def _pruned(node: Node, dropped: set[Path_], path: Path_) -> Node:
    if not any(known[: len(path)] == path for known in dropped):
        return node
    if isinstance(node, Mapping):
        return _without(node, dropped, path)
    if isinstance(node, Sequence):
        kept = [
            _pruned(item, dropped, (*path, number))
            for number, item in enumerate(node.items)
            if (*path, number) not in dropped
        ]
        return Sequence(node.place, tuple(kept))
    return node


def _explain(error: ValidationError, root: Mapping) -> tuple[list[Problem], list[Path_]]:
    """Return the problems of one verdict and the paths of what it is about."""
    path: Path_ = tuple(error.absolute_path)
    node = _at(root, path)
    special = _SPECIAL.get(str(error.validator))
    if special is not None:
        return special(error, node, path)
    explain = SENTENCES.get(str(error.validator), wrong)
    code, message, hint = explain(error, node)
    return [Problem(code, _place_of(root, path), message, hint)], [path]


def _at(root: Node, path: Path_) -> Node:
    node: Node = root
    for part in path:
        if isinstance(node, Mapping):
            node = node.entries[str(part)].value
        elif isinstance(node, Sequence):
            node = node.items[int(part)]
    return node


def _place_of(root: Mapping, path: Path_) -> Place:
    """Return where to point: the value, or its key when the value is empty or stands on lines of its own."""
    node = _at(root, path)
    if path and isinstance(path[-1], str):
        parent = _at(root, path[:-1])
        if isinstance(parent, Mapping):
            key = parent.entries[path[-1]].key.place
            if node.place.line != key.line or (isinstance(node, Scalar) and not node.text):
                return key
    return node.place


def _unknown_keys(error: ValidationError, node: Node, path: Path_) -> tuple[list[Problem], list[Path_]]:
    properties = schema_of(error).get("properties", {})
    problems = []
    paths: list[Path_] = []
    for key, entry in _entries(node):
        if key not in properties:
            hint = _unknown_key_hint(key, entry, properties, node)
            problems.append(
                Problem("schema.unknown_key", entry.key.place, say("There is no key '{key}' here.", key=key), hint)
            )
            paths.append((*path, key))
    return problems, paths


def _entries(node: Node) -> Iterable[tuple[str, Entry]]:
    return node.entries.items() if isinstance(node, Mapping) else ()


def _unknown_key_hint(key: str, entry: Entry, properties: Iterable[str], node: Node) -> str:
    if key == "<<":
        return say("Merge keys are not part of YAML 1.2; use a plain alias, or write the keys out.")
    cut = isinstance(entry.value, Scalar) and entry.value.text == ""
    if isinstance(node, Mapping) and node.flow and (cut or not key.isidentifier()):
        return QUOTE_HINT
    return did_you_mean(key, properties)


def _missing_keys(error: ValidationError, node: Node, path: Path_) -> tuple[list[Problem], list[Path_]]:
    # jsonschema gives one error a missing key, each with the whole list of required ones
    missing = next(key for key in keys(error) if f"'{key}' is a required property" == error.message)
    hint = say("Add '{missing}:'.", missing=missing)
    if isinstance(node, Mapping) and node.entries:
        wrong = next((key for key in node.entries if did_you_mean(key, [missing]).startswith("did")), None)
        hint = (
            hint
            if wrong is None or wrong in keys(error)
            else say("'{wrong}' may be meant to be '{missing}'.", wrong=wrong, missing=missing)
        )
    return [
        Problem("schema.missing_key", node.place, say("The key '{missing}' is missing here.", missing=missing), hint)
    ], [path]


def _wrong_name(error: ValidationError, node: Node, path: Path_) -> tuple[list[Problem], list[Path_]]:
    name = str(error.instance)
    entry = node.entries[name] if isinstance(node, Mapping) and name in node.entries else None
    place = node.place if entry is None else entry.key.place
    language = "{2,3}" in str(error.validator_value)
    problem = _bad_language(name, place) if language else _bad_name(name, place)
    return [problem], [(*path, name)]


def _bad_language(name: str, place: Place) -> Problem:
    return Problem(
        "schema.language",
        place,
        say("'{name}' is not a language.", name=name),
        say("Write the language's code: fr, en, de…"),
    )


def _bad_name(name: str, place: Place) -> Problem:
    sentence = say("'{name}' can't be a name.", name=name)
    return Problem(
        "schema.name", place, sentence, say("Names are small letters, digits and _, and begin with a letter.")
    )


def _pattern(error: ValidationError, node: Node, path: Path_) -> tuple[list[Problem], list[Path_]]:
    if "propertyNames" in error.absolute_schema_path:
        return _wrong_name(error, node, path)
    if error.validator_value == _NAME:
        return [_bad_name(str(error.instance), node.place)], [path]
    described = str(schema_of(error).get("description", ""))
    message = say("'{value}' does not have the form that is asked for here.", value=error.instance)
    return [Problem("schema.form", node.place, message, Message(described))], [path]


def _dependent(error: ValidationError, node: Node, path: Path_) -> tuple[list[Problem], list[Path_]]:
    key, needed = next(iter(dict(value(error)).items()))
    place = node.entries[key].key.place if isinstance(node, Mapping) and key in node.entries else node.place
    sentence = say("'{key}' needs '{needed}' beside it.", key=key, needed=needed[0])
    return [Problem("schema.missing_key", place, sentence, say("Add '{needed}:'.", needed=needed[0]))], [path]


_SPECIAL: dict[str, Callable[[ValidationError, Node, Path_], tuple[list[Problem], list[Path_]]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "pattern": _pattern,
    "dependentRequired": _dependent,
}


def every_key(name: str) -> Iterator[str]:
    """Yield the keys that documents of a kind have at the top, in the schema's order."""
    yield from schema(name).get("properties", {})
