"""`assign`, and `run`: handing the record to a member, or to another automation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from definitions.build.draft import Around, mapping, word
from definitions.build.member import MEMBER
from definitions.build.values import computed, is_expression
from definitions.expr import RecordOf, Type
from definitions.message import say
from definitions.problems import did_you_mean
from definitions.source import Mapping, Scalar
from definitions.spec.automation import Assign, Run

if TYPE_CHECKING:
    from definitions.build.steps import Shared, Steps


def assign(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> Assign | None:
    """Build `assign`."""
    inner = mapping(body.get("assign"))
    if inner is None or not steps.needs_record(body, "assign"):
        return None
    draft, place = steps.draft, body.entries["assign"].key.place
    if steps.entity is not None and "owner" not in draft.records.get(steps.entity, {"owner": None}):
        sentence = say("A {entity} belongs to nobody: it can't be given to a member.", entity=steps.entity)
        draft.unfit("automation.no_owner", place, sentence, say("Write 'owner: true' in the entity."))
    if ("to" in inner.entries) == ("pick" in inner.entries) or ("among" in inner.entries and "to" in inner.entries):
        sentence = say("'assign' says either to whom ('to') or how to choose ('pick' and 'among').")
        hint = say("Write {to: =record.company.owner} or {pick: round_robin, among: …}.")
        if not steps.damaged():
            draft.unfit("automation.assign", place, sentence, hint)
        return None
    to = inner.get("to")
    if to is not None and not is_expression(to):
        draft.report("value.type", to.place, say("Here stands an expression."), say("Write: ={node}.", node=word(to)))
        return None
    around = Around({**names, "member": RecordOf(MEMBER)}, hints=steps.hints, row="member")
    return Assign(
        **shared,
        to=None if to is None else computed(draft, to, steps.around(names), RecordOf(MEMBER)),
        pick=cast("Literal['round_robin', 'least_busy'] | None", word(inner.get("pick")) or None),
        among=draft.condition(inner.get("among"), around, query=True),
    )


def run(steps: Steps, body: Mapping, names: dict[str, Type], shared: Shared) -> Run | None:
    """Build `run`; that the automation is about the same entity is seen when all are built."""
    del names
    node = body.get("run")
    if not isinstance(node, Scalar):
        return None
    known = steps.draft.index.of("automation")
    if node.text not in known:
        sentence = say("There is no automation '{written}'.", written=node.text)
        steps.draft.unfit("automation.unknown", node.place, sentence, did_you_mean(node.text, known))
        return None
    steps.draft.used.add(("automation", node.text))
    steps.draft.notes.name(("automation", node.text), node)
    return Run(**shared, automation=node.text, entity=steps.entity)
