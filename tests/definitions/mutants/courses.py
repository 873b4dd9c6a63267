"""Breaking processes and automations: beginnings, ends, ways that nobody takes, what goes on for ever."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.definitions.mutants.meaning import entity_of, states_of
from tests.definitions.mutants.mutant import Mutant, add, around, drop, insert, mutants, put
from tests.definitions.mutants.written import Document, Pack, Spot


def no_beginning(pack: Pack) -> Iterator[Mutant]:
    """States of which none, or two, are initial."""
    for process in pack.of("process"):
        for states in process.at("**/states"):
            for state in states.children:
                initial = state.get("initial")
                if initial is not None:
                    edits = [drop(initial), put(initial, "false")]
                    codes = ("process.no_initial_state",)
                    yield from mutants("no initial state", edits, *around(states), *_head(states), codes=codes)
                elif state.mapping and any(other.get("initial") for other in states.children):
                    also = tuple((other.file, other.begin) for other in states.children)
                    yield from mutants("two initial states", [add(state, "initial: true")], *also)


def _head(states: Spot) -> tuple[tuple[str, int], ...]:
    """Return where it is said of a process, or of a state, that it has no beginning."""
    above = states.above
    return () if above is None else around(above)


def stranded(pack: Pack) -> Iterator[Mutant]:
    """A state that nothing leads to, or that nothing leads out of."""
    for process in pack.of("process"):
        for states in process.at("states"):
            edits = [add(states, "stranded: {final: true}")]
            yield from mutants("unreachable state", edits, codes=("process.unreachable_state",))
        transitions = process.root.get("transitions")
        if transitions is not None and _calm(process):
            way = add(transitions, "into_it: {from: any, to: stuck}")
            for states in process.at("states"):
                yield Mutant("dead end", (add(states, "stuck: {}"), way), codes=("process.dead_end",))


def _calm(process: Document) -> bool:
    """Whether no transition leads out of any state."""
    return not any(spot.text == "any" for spot in process.at("transitions/*/from"))


def one_way_in(pack: Pack) -> Iterator[Mutant]:
    """A transition left out without which a state is never reached, or never left."""
    for process in pack.of("process"):
        if any(spot.name == "states" for spot in process.at("states/**/states")):
            continue  # with states inside of states there are more ways than one sees
        for transition in process.at("transitions/*"):
            target = transition.get("to")
            into = [each for each in process.at("transitions/*/to") if target and each.text == target.text]
            initial = any(s.name == (target.text if target else "") and s.get("initial") for s in states_of(process))
            if len(into) == 1 and not initial:
                also = tuple((state.file, state.begin) for state in states_of(process))
                yield from mutants("the only way in", [drop(transition)], *also, codes=("process.",))


def finals(pack: Pack) -> Iterator[Mutant]:
    """A final state that is left, or a last one that is not final."""
    for process in pack.of("process"):
        left = {item.text for spot in process.at("transitions/*/from") for item in spot.items}
        for state in states_of(process):
            final = state.get("final")
            nested = state.above is not None and state.above.way != ("states",)
            if final is None and state.name in left and state.mapping and not state.get("states"):
                uses = (item for spot in process.at("transitions/*/from") for item in spot.items)
                also = tuple((each.file, each.start) for each in uses if each.text == state.name)
                yield from mutants("final state that is left", [add(state, "final: true")], *also)
            elif final is not None and "any" not in left and not nested:
                edits = [put(final, "false")]
                yield from mutants("last state that is not final", edits, *around(state), codes=("process.dead_end",))


def automatic(pack: Pack) -> Iterator[Mutant]:
    """Moves by themselves that go on for ever, that hinder each other, or that ask what nothing tells them."""
    for process in pack.of("process"):
        transitions, outer = process.root.get("transitions"), process.root.get("states")
        states = [state for state in outer.children if not state.get("states")] if outer else []
        open_ = [state.name for state in states if not state.get("final")]
        if transitions is None or len(states) < 2 or not open_:
            continue
        one, other = open_[0], next(state.name for state in states if state.name != open_[0])
        move = "{from: %s, to: %s, auto: true, guard: %s}"
        if len(open_) > 1:
            there = move % (open_[0], open_[1], "record.version > 0")
            back = move % (open_[1], open_[0], "record.version > 0")
            edits = (add(transitions, f"auto_there: {there}", f"auto_back: {back}"),)
            yield Mutant("automatic moves without end", edits, codes=("auto.endless",))
        first = f"auto_one: {move % (one, other, 'record.version > 1')}"
        second = f"auto_two: {move % (one, other, 'record.version > 2')}"
        yield Mutant("automatic moves that both happen", (add(transitions, first, second),), codes=("auto.conflict",))
        for guard in ("record.created_at < now()", "actor.active", "record.created_by.active"):
            text = f"auto_odd: {move % (one, other, guard)}"
            yield Mutant("automatic move that asks too much", (add(transitions, text),), codes=("auto.",))


def nobody(pack: Pack) -> Iterator[Mutant]:
    """A transition that no level may take: `by` of nobody, or out of the list of each of its levels."""
    for spot in pack.at("process", "transitions/*/by"):
        yield from mutants("nobody may take it", [put(spot, "[]")], *around(spot), codes=("process.nobody", "schema."))
    for process in pack.of("process"):
        for transition in process.at("transitions/*"):
            by = transition.get("by")
            if by is not None:
                yield from _hidden_from_all(pack, entity_of(pack, process), transition, by)


def _hidden_from_all(pack: Pack, entity: str, transition: Spot, by: Spot) -> Iterator[Mutant]:
    edits = []
    for level in {item.text for item in by.items}:
        document = pack.document("level", level)
        access = document.root.get("entities", entity) if document else None
        if access is None or not access.mapping or access.alias:
            return  # a level that says nothing may take it, where it reads the record at all
        named = access.get("transitions")
        edits.append(put(named, "[]") if named else add(access, "transitions: []"))
    if edits:
        codes = ("process.nobody",)
        yield Mutant("nobody may take it", tuple(sorted(edits)), around(transition), codes)


def endless(pack: Pack) -> Iterator[Mutant]:
    """An automation that starts itself again."""
    for automation in pack.of("automation"):
        do = automation.root.get("do")
        if do is None or automation.root.get("if") or not do.children or not automation.root.get("when"):
            continue
        edits = [insert(do, f"{{run: {automation.name}}}")]
        yield from mutants("automation without end", edits, *around(automation.root), codes=("automation.endless",))


def endless_together(pack: Pack) -> Iterator[Mutant]:
    """Two automations that start each other again."""
    free = [each for each in pack.of("automation") if each.root.get("when") and not each.root.get("if")]
    for one, other in pairwise(free):
        steps = one.root.get("do"), other.root.get("do")
        about = entity_of(pack, one)
        if about and about == entity_of(pack, other) and steps[0] and steps[1]:
            edits = (insert(steps[0], f"{{run: {other.name}}}"), insert(steps[1], f"{{run: {one.name}}}"))
            also = (*around(one.root), *around(other.root))
            yield Mutant("automations without end", edits, also, ("automation.endless",))


WRONG_STEPS = (
    "{stop: true, wait: {for: 1d}}",
    "{on_error: stop}",
    "{run: nobody_knows_it}",
    "{wait: {for: 1d, until: =now()}}",
    "{move: nobody_knows_it}",
    "{assign: {pick: at_random}}",
    "{for_each: {in: =now(), do: [{stop: true}]}}",
    "{email: {template: nobody_knows_it, to: =actor}}",
)


def wrong_steps(pack: Pack) -> Iterator[Mutant]:
    """Steps that do nothing, two things, or what is not there."""
    for automation in pack.of("automation"):
        do = automation.root.get("do")
        if do is None or not do.children:
            continue
        for text in WRONG_STEPS:
            yield from mutants("wrong step", [insert(do, text)])


def wrong_triggers(pack: Pack) -> Iterator[Mutant]:
    """Beginnings that do not exist."""
    texts = ("{entered: no_process.new}", "{created: nothing}", "{every: {cron: never}}", "{stays: {state: new}}",
             "{due: {entity: member, at: first_name}}", "{changed: {entity: member, fields: [nothing]}}")  # fmt: skip
    for spot in pack.at("automation", "when"):
        yield from mutants("wrong trigger", [put(spot, text if spot.flow else f"{text}\n") for text in texts])
    for spot in pack.at("automation", "when/every/cron", "when/*/every/cron"):
        yield from mutants("wrong trigger", [put(spot, '"61 * * * *"'), put(spot, '"0 8 * *"')])
