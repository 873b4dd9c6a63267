"""References into processes: `process.state` and `process.transition`."""

from __future__ import annotations

from typing import Literal

from definitions.build.draft import Draft, word
from definitions.build.notes import Use
from definitions.message import either, say
from definitions.problems import did_you_mean
from definitions.source import Scalar

Part = Literal["states", "transitions"]


def process_part(draft: Draft, node: Scalar, part: Part, entity: str | None = None) -> tuple[str, str, str] | None:
    """Return process, name and entity of `process.name`; reports what does not exist.

    The process may be left out where one process (of `entity`, when given) has the name.
    """
    process, dot, name = node.text.rpartition(".")
    processes = draft.index.of("process")
    if not dot:
        of = draft.index.processes_of(entity) if entity else None
        holders = [each for each in draft.index.holders(part, name) if of is None or each in of]
        if len(holders) == 1:
            process = holders[0]
        else:
            _unknown_part(draft, node, name, part, holders)
            return None
    source = processes.get(process)
    if source is None:
        sentence = say("There is no process '{process}'.", process=process)
        draft.unfit("process.unknown", node.place, sentence, did_you_mean(process, processes))
        return None
    draft.used.add(("process", process))
    if dot:
        draft.notes.uses.append(Use(node, 0, len(process), ("process", process)))
    known = draft.index.part_names(process, part)
    if source.raw is not None and name not in known:
        what = part.removesuffix("s")
        sentence = say("The process {process} has no {what} '{name}'.", process=process, what=what, name=name)
        draft.unfit(f"process.unknown_{what}", node.at(len(process) + 1), sentence, did_you_mean(name, known))
        return None
    draft.notes.name((part.removesuffix("s"), process, name), node, len(node.text) - len(name))
    return process, name, word(source.raw.get("entity")) if source.raw else ""


def _unknown_part(draft: Draft, node: Scalar, name: str, part: str, holders: list[str]) -> None:
    what = part.removesuffix("s")
    if holders:
        shown = either(f"{process}.{name}" for process in holders)
        draft.unfit(
            "process.ambiguous",
            node.place,
            say("Several processes have a {what} '{name}'.", what=what, name=name),
            say("Write {shown}.", shown=shown),
        )
    elif not draft.index.holes("process"):
        every = [each for process in draft.index.of("process") for each in draft.index.part_names(process, part)]
        sentence = say("No process has a {what} '{name}'.", what=what, name=name)
        draft.unfit(f"process.unknown_{what}", node.place, sentence, did_you_mean(name, every))
