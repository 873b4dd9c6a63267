"""Templates: Jinja parsed, and each variable, field and filter checked against the types in scope."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingType

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError

from definitions.build.draft import Draft, Names
from definitions.build.jinja_types import Fault, compared, constant, reckoned
from definitions.build.notes import Asked, Use
from definitions.expr import BOOL, DYN, INT, STRING, ListOf, Member, RecordOf, Scope, Target, Type
from definitions.message import say
from definitions.problems import Place, did_you_mean
from definitions.source import Scalar

FILTERS = frozenset(
    [
        "phone",
        "date",
        "datetime",
        "money",
        "label",
        "default",
        "abs",
        "capitalize",
        "first",
        "int",
        "join",
        "last",
        "length",
        "lower",
        "replace",
        "round",
        "striptags",
        "title",
        "trim",
        "truncate",
        "upper",
        "wordcount",
    ],
)
"""The filters of titles and messages: the product's own, and those of Jinja whose cost is that of their text."""

LINKS = say("the links")
_FORBIDDEN: MappingType[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Block: "block",
    nodes.FilterBlock: "filter",
}
LONGEST = 50_000
_FLATTEN = say("Write it with fewer blocks and parentheses inside of one another.")
_LOOP: Names = {"loop": RecordOf(say("the loop"))}
_EXTRA: MappingType[str, MappingType[str, Member]] = {
    LINKS: {name: Member(STRING) for name in ("record", "unsubscribe", "account")},
    say("the loop"): {
        **{
            name: Member(INT, nullable=False)
            for name in ("index", "index0", "revindex", "revindex0", "length", "depth")
        },
        **{name: Member(DYN) for name in ("first", "last", "previtem", "nextitem")},
    },
}

Paths = dict[str, Place]


def check_template(draft: Draft, node: Scalar, names: Names) -> Paths:
    """Report what is wrong with a template; return the variables that it shows, each with its first place."""
    if len(node.text) > LONGEST:
        sentence = say("A template has at most {longest} characters.", longest=f"{LONGEST:,}")
        draft.report("template.too_long", node.place, sentence, say("Say less, or say it in several messages."))
        return {}
    environment = Environment(autoescape=True, optimized=False)  # computing what is constant may cost much
    environment.filters = dict.fromkeys(FILTERS, str)
    checker = _Checker(draft, node)
    draft.notes.asked.append(Asked(node, 0, Scope(names, _EXTRA), FILTERS))
    known = len(draft.problems)
    try:
        parsed = environment.parse(node.text)
        checker.block(parsed.body, dict(names))
        if len(draft.problems) == known:
            environment.compile(parsed)
    except TemplateSyntaxError as error:
        place = node.at(_line_start(node.text, error.lineno))
        draft.report(
            "template.syntax",
            place,
            say("This template can't be read: {error}.", error=_sentence(error)),
            say("Look at the braces: {{ … }}."),
        )
        return {}
    except (RecursionError, MemoryError, SyntaxError):
        draft.report(
            "template.syntax", node.place, say("This template can't be read: it is nested too deeply."), _FLATTEN
        )
        return {}
    return checker.paths


def _sentence(error: TemplateSyntaxError) -> str:
    return (error.message or "").rstrip(".")


class _Checker:
    """Walks a template's tree with the names in scope."""

    def __init__(self, draft: Draft, node: Scalar) -> None:
        self.draft = draft
        self.node = node
        self.paths: Paths = {}
        self.loops: dict[str, str] = {}
        """What loops go through, by their variables."""
        self.seen: Counter[tuple[int, str]] = Counter()
        """How often a field was met in a line."""
        self._kinds: dict[type[nodes.Node], Callable[[nodes.Node, dict[str, Type]], Type]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._attribute,
            nodes.Getitem: self._attribute,
            nodes.Filter: self._filter,
            nodes.Call: self._call,
            nodes.For: self._loop,
            nodes.Assign: self._assign,
            nodes.If: self._branches,
            nodes.Compare: self._compare,
            **dict.fromkeys((nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod), self._reckon),
        }

    def block(self, body: Iterable[nodes.Node], names: dict[str, Type]) -> None:
        """Check statements one after the other."""
        for child in body:
            self._type(child, names)

    def _type(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        word = _FORBIDDEN.get(type(node))
        if word is not None:
            self._report(
                "template.statement",
                node,
                word,
                say("'{word}' is not part of the templates of messages.", word=word),
                say("Write it out."),
            )
            return DYN
        known = self._kinds.get(type(node))
        if known is not None:
            return known(node, names)
        for child in node.iter_child_nodes():
            self._type(child, names)
        return STRING if isinstance(node, nodes.Const) and isinstance(node.value, str) else DYN

    def _name(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        name = str(getattr(node, "name", ""))
        if name in names:
            return names[name]
        hint = did_you_mean(name, names)
        self._report(
            "template.unknown_variable",
            node,
            name,
            say("There is no variable '{name}' in this template.", name=name),
            hint,
        )
        return DYN

    def _attribute(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        owner = self._type(node.node, names) if isinstance(node, nodes.Getattr | nodes.Getitem) else DYN
        name = _attribute_name(node)
        if name is None:
            return owner.of if isinstance(owner, ListOf) else DYN
        if isinstance(owner, RecordOf):
            return self._member(node, owner, name)
        if owner != DYN:
            self._report(
                "template.unknown_field",
                node,
                name,
                say("A {owner} has no '{name}'.", owner=owner, name=name),
                say("Use a filter: {{ x | filter }}."),
            )
        return DYN

    def _member(self, node: nodes.Node, owner: RecordOf, name: str) -> Type:
        members = _EXTRA.get(owner.entity) or self.draft.records.get(owner.entity, {})
        found = members.get(name)
        if found is None:
            sentence = say("{entity} has no field '{name}'.", entity=owner.entity, name=name)
            self._report("template.unknown_field", node, name, sentence, did_you_mean(name, members))
            return DYN
        if found.target:
            self._note(node, name, found.target)
        path = self._full(_path(node))
        if path:
            self.paths.setdefault(path, self._place(node, name))
        return found.type

    def _filter(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        name = str(getattr(node, "name", ""))
        if name not in FILTERS:
            hint = did_you_mean(name, sorted(FILTERS))
            self._report("template.unknown_filter", node, name, say("There is no filter '{name}'.", name=name), hint)
        found: Type = DYN
        for number, child in enumerate(node.iter_child_nodes()):
            kind = self._type(child, names)
            found = kind if number == 0 else found
        return found if name == "default" else DYN

    def _call(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        called = getattr(node, "node", None)
        name = str(getattr(called, "attr", "") or getattr(called, "name", ""))
        sentence = say("Functions can't be called in a template.")
        shown = called if isinstance(called, nodes.Node) else node
        hint = say("Use a filter: {{{{ x | {name} }}}}.", name=name) if name in FILTERS else ""
        self._report("template.call", shown, name, sentence, hint)
        del names
        return DYN

    def _loop(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.For):
            over = self._type(node.iter, names)
            inner = {**names, **_LOOP}
            outer, lines = self.loops, self._full(_path(node.iter))
            for target in _targets(node.target):
                inner[target] = over.of if isinstance(over, ListOf) else DYN
                self.loops = {**self.loops, target: lines}
            if node.test is not None:
                self._type(node.test, inner)
            self.block(node.body, inner)
            self.loops = outer
            self.block(node.else_, dict(names))
        return DYN

    def _full(self, path: str) -> str:
        """Return a path from what a loop goes through: `record.lines.text` for `line.text`."""
        root, dot, rest = path.partition(".")
        return f"{self.loops[root]}{dot}{rest}" if self.loops.get(root) else path

    def _assign(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.Assign):
            kind = self._type(node.node, names)
            for target in _targets(node.target):
                names[target] = kind
        return DYN

    def _branches(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.If):
            self._type(node.test, names)
            for body in (node.body, node.elif_, node.else_):
                self.block(body, dict(names))
        return DYN

    def _compare(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.Compare):
            left = self._operand(node.expr, names)
            for operand in node.ops:
                right = self._operand(operand.expr, names)
                self._refuse(compared(left, operand.op, right, operand.expr), node.expr)
                left = right
        return BOOL

    def _reckon(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.BinExpr):
            left, right = self._operand(node.left, names), self._operand(node.right, names)
            self._refuse(reckoned(left, type(node), right), node.left)
        return DYN

    def _operand(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        return constant(node) if isinstance(node, nodes.Const) else self._type(node, names)

    def _refuse(self, fault: Fault | None, node: nodes.Node) -> None:
        if fault is not None:
            code, message, hint = fault
            self._report(code, node, _attribute_name(node) or "", message, hint)

    def _report(self, code: str, node: nodes.Node, word: str, message: str, hint: str) -> None:
        self.draft.report(code, self._place(node, word), message, hint)

    def _place(self, node: nodes.Node, word: str) -> Place:
        """Return where the word stands first in the node's line (Jinja keeps lines only)."""
        return self.node.at(next(self._offsets(node, word)))

    def _offsets(self, node: nodes.Node, word: str) -> Iterator[int]:
        """Yield where the word stands in the node's line; at its beginning where it does not."""
        start = _line_start(self.node.text, node.lineno)
        end = self.node.text.find("\n", start)
        line = self.node.text[start : end if end >= 0 else None]
        before = r"[.|]\s*" if isinstance(node, nodes.Getattr | nodes.Filter) else r"(?<![.\w])"
        for found in re.finditer(rf"{before}({re.escape(word)})(?!\w)", line) if word else ():
            yield start + found.start(1)
        yield start

    def _note(self, node: nodes.Node, name: str, target: Target) -> None:
        """Note what a name stands for: the second time in a line it is the second of its kind there."""
        seen = self.seen[node.lineno, name]
        self.seen[node.lineno, name] += 1
        offsets = [*self._offsets(node, name)][:-1]
        if offsets:
            offset = offsets[min(seen, len(offsets) - 1)]
            self.draft.notes.uses.append(Use(self.node, offset, len(name), target))


def _attribute_name(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None


def _path(node: nodes.Node) -> str:
    """Return `record.company.city` for such a chain, "" for anything else."""
    if isinstance(node, nodes.Name):
        return node.name
    name = _attribute_name(node)
    if isinstance(node, nodes.Getattr | nodes.Getitem) and name is not None:
        before = _path(node.node)
        return f"{before}.{name}" if before else ""
    return ""


def _targets(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.name]
    return [name.name for name in node.find_all(nodes.Name)]


def _line_start(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        following = text.find("\n", start)
        if following < 0:
            return start
        start = following + 1
    return start
