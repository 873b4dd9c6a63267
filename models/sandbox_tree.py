"""What is written anew in texts of a pack before they are compiled: bounds, exact fractions, and what may be absent."""

from __future__ import annotations

from functools import reduce
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

SHORT, COUNTED, EXACT, PART, WRITTEN = "_short", "_counted", "_exact", "_part", "_written"
"""The filters that it puts in; those of comparisons are called `_` and the operator."""
COMPARED = frozenset({"lt", "lteq", "gt", "gteq", "in", "notin"})
"""The comparisons that fail in Python where a side is absent."""


def bounded(tree: nodes.Template) -> nodes.Template:
    """Return a template with a bound on what makes texts long (`~`, blocks of `set`) and on loops."""
    found: nodes.Template = _Bounds().visit(tree)
    return found


class _Bounds(NodeTransformer):
    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802 - Jinja's name
        if not isinstance(node.value, float):
            return node
        return _filter(nodes.Const(node.value, lineno=node.lineno), EXACT, node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        if not any(operand.op in COMPARED for operand in node.ops):
            return node
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        parts = (_comparison(left, operand, node.lineno) for left, operand in zip(sides, node.ops, strict=False))
        return reduce(lambda one, other: nodes.And(one, other, lineno=node.lineno), parts)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.nodes = [each if _is_text(each) else _filter(each, WRITTEN, node.lineno) for each in node.nodes]
        return _filter(node, SHORT, node.lineno)

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.expr2 = node.expr2 or nodes.Const(None, lineno=node.lineno)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        ends = (node.arg.start, node.arg.stop, node.arg.step)
        return _filter(node.node, PART, node.lineno, *(end or nodes.Const(None, lineno=node.lineno) for end in ends))

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.iter = _filter(node.iter, COUNTED, node.lineno)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.filter = _filter(node.filter, SHORT, node.lineno)
        return node


def _is_text(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _filter(inner: Any, name: str, line: int, *given: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(inner, name, [*given], [], None, None, lineno=line)


def _comparison(left: nodes.Expr, operand: nodes.Operand, line: int) -> nodes.Expr:
    if operand.op in COMPARED:
        return _filter(left, f"_{operand.op}", line, operand.expr)
    return nodes.Compare(left, [operand], lineno=line)
