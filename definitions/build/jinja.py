"""Templates: Jinja parsed, and each variable, field and filter checked against the types in scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from collections.abc import Mapping as MappingType

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError

from definitions.build.draft import Draft, Names
from definitions.build.jinja_places import Words
from definitions.build.jinja_types import (
    PASSING,
    Fault,
    compared,
    constant,
    filtered,
    indexed,
    item,
    looped,
    made_by,
    reckoned,
    signed,
    total,
    unpacked,
)
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
        place = node.at(checker.words.start(error.lineno))
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
        self.words = Words(node.text)
        self.seen: Counter[tuple[int, str]] = Counter()
        """How often a field was met in a line."""
        self.set: list[str] = []
        """The variables that were set, in the order of the text."""
        self._kinds: dict[type[nodes.Node], Callable[[nodes.Node, dict[str, Type]], Type]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._attribute,
            nodes.Getitem: self._attribute,
            nodes.Filter: self._filter,
            nodes.Call: self._call,
            nodes.For: self._loop,
            nodes.Assign: self._assign,
            nodes.AssignBlock: self._assign,
            nodes.With: self._with,
            nodes.If: self._branches,
            nodes.Compare: self._compare,
            **dict.fromkeys((nodes.Neg, nodes.Pos), self._sign),
            **dict.fromkeys(
                (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), self._reckon
            ),
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
        return constant(node)

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
            return self._item(node, owner, names)
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

    def _item(self, node: nodes.Node, owner: Type, names: dict[str, Type]) -> Type:
        """Return the type of `x[0]`, or of `x[:3]`, which is a part of the same."""
        if not isinstance(node, nodes.Getitem):
            return DYN
        self._type(node.arg, names)
        self._refuse(indexed(owner), node.node)
        if isinstance(node.arg, nodes.Slice):
            return owner
        return owner.of if isinstance(owner, ListOf) else DYN

    def _member(self, node: nodes.Node, owner: RecordOf, name: str) -> Type:
        members = _EXTRA.get(owner.entity) or self.draft.records.get(owner.entity, {})
        found = members.get(name)
        if found is None:
            sentence = say("{entity} has no field '{name}'.", entity=owner.entity, name=name)
            self._report("template.unknown_field", node, name, sentence, did_you_mean(name, members))
            return DYN
        self._note(node, name, found.target)
        path = self._full(_path(node))
        if path and path not in self.paths:
            self.paths[path] = self._place(node, name)
        return found.type

    def _filter(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        name = str(getattr(node, "name", ""))
        if name not in FILTERS:
            hint = did_you_mean(name, sorted(FILTERS))
            self._report("template.unknown_filter", node, name, say("There is no filter '{name}'.", name=name), hint)
        inner = getattr(node, "node", None)  # a block that is set has none
        kind = self._type(inner, names) if isinstance(inner, nodes.Node) else STRING
        for child in node.iter_child_nodes(exclude=("node",)):
            self._type(child, names)
        self._refuse(filtered(kind, name), inner if isinstance(inner, nodes.Node) else node)
        return made_by(kind, name)

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
            self._refuse(looped(over), node.iter)
            inner = {**names, **_LOOP}
            outer, lines = self.loops, self._full(_path(node.iter))
            targets, each = _targets(node.target), item(over)
            self._refuse(unpacked(each, targets), node.target)
            for target in targets:
                inner[target] = each if len(targets) == 1 else DYN
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
        if isinstance(node, nodes.Assign | nodes.AssignBlock):
            kind = self._type(node.node, names) if isinstance(node, nodes.Assign) else self._written(node, names)
            targets = _targets(node.target)
            self._refuse(unpacked(kind, targets), node.target)
            for target in targets:
                names[target] = kind if len(targets) == 1 else DYN
            self.set += targets
        return DYN

    def _written(self, node: nodes.AssignBlock, names: dict[str, Type]) -> Type:
        self.block(node.body, dict(names))
        return STRING if node.filter is None else self._type(node.filter, names)

    def _with(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.With):
            kinds = [self._type(value, names) for value in node.values]
            inner = dict(names)
            for target, kind in zip(node.targets, kinds, strict=True):
                each = _targets(target)
                self._refuse(unpacked(kind, each), target)
                inner |= dict.fromkeys(each, kind if len(each) == 1 else DYN)
            self.block(node.body, inner)
        return DYN

    def _branches(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.If):
            self._type(node.test, names)
            before = len(self.set)
            for body in (node.body, node.elif_, node.else_):
                inner = dict(names)
                self.block(body, inner)
                changed = {name for name in self.set[before:] if name in names and inner[name] != names[name]}
                names |= dict.fromkeys(changed, DYN)  # it may have been set so, or not
        return DYN

    def _compare(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if isinstance(node, nodes.Compare):
            left = self._type(node.expr, names)
            for operand in node.ops:
                right = self._type(operand.expr, names)
                self._refuse(compared(left, operand.op, right, operand.expr), node.expr)
                left = right
        return BOOL

    def _reckon(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if not isinstance(node, nodes.BinExpr):
            return DYN
        left, right = self._type(node.left, names), self._type(node.right, names)
        fault = reckoned(left, type(node), right)
        self._refuse(fault, node.left)
        return DYN if fault else total(left, type(node), right)

    def _sign(self, node: nodes.Node, names: dict[str, Type]) -> Type:
        if not isinstance(node, nodes.UnaryExpr):
            return DYN
        kind = self._type(node.node, names)
        self._refuse(signed(kind, node.operator or ""), node.node)
        return kind

    def _refuse(self, fault: Fault | None, node: nodes.Node) -> None:
        if fault is not None:
            code, message, hint = fault
            self._report(code, node, _attribute_name(node) or "", message, hint)

    def _report(self, code: str, node: nodes.Node, word: str, message: str, hint: str) -> None:
        self.draft.report(code, self._place(node, word), message, hint)

    def _place(self, node: nodes.Node, word: str) -> Place:
        """Return where the word stands first in the node's line (Jinja keeps lines only)."""
        return self.node.at(self.words.first(node, word))

    def _note(self, node: nodes.Node, name: str, target: Target) -> None:
        """Note what a name stands for: the second time in a line it is the second of its kind there."""
        seen = self.seen[node.lineno, name]
        self.seen[node.lineno, name] += 1
        offsets = self.words.of(node, name)
        if offsets and target:
            offset = offsets[min(seen, len(offsets) - 1)]
            self.draft.notes.uses.append(Use(self.node, offset, len(name), target))


def _attribute_name(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None


def _path(node: nodes.Node) -> str:
    """Return `record.company.city` for such a chain, "" for anything else; items of a list have the list's path."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Filter) and node.name in PASSING and node.node is not None:
        return _path(node.node)
    if isinstance(node, nodes.Getitem) and _attribute_name(node) is None:
        return _path(node.node)
    name = _attribute_name(node)
    if isinstance(node, nodes.Getattr | nodes.Getitem) and name is not None:
        before = _path(node.node)
        return f"{before}.{name}" if before else ""
    return ""


def _targets(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.name]
    return [name.name for name in node.find_all(nodes.Name)]
