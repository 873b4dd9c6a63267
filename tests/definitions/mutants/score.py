"""How many mutants the checker catches, by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from definitions.pack import PACKS, read_folder
from tests.definitions.mutants import conditions, courses, names, permissions, shapes, types, wordings
from tests.definitions.mutants.mutant import Mutant
from tests.definitions.mutants.written import Pack

TESTS = Path(__file__).parents[2]
LIBRARY = TESTS / "packs" / "library"

MUTATORS: tuple[Callable[[Pack], Iterator[Mutant]], ...] = (
    shapes.unknown_keys,
    shapes.misspelt_keys,
    shapes.misspelt_kinds,
    shapes.bad_names,
    shapes.duplicate_keys,
    shapes.missing_keys,
    shapes.missing_languages,
    shapes.misspelt_values,
    shapes.misspelt_references,
    shapes.wrong_shapes,
    shapes.wrong_durations,
    shapes.broken_yaml,
    conditions.misspelt_fields,
    conditions.misspelt_functions,
    conditions.misspelt_variables,
    conditions.absent_words,
    conditions.wrong_literals,
    conditions.no_conditions,
    conditions.unreadable,
    conditions.settled,
    conditions.outside_of_queries,
    conditions.wrong_equals,
    conditions.wrong_values,
    conditions.wrong_results,
    wordings.misspelt_variables,
    wordings.misspelt_fields,
    wordings.misspelt_filters,
    wordings.broken_braces,
    wordings.odd_statements,
    wordings.in_one_language,
    names.renamed,
    names.taken_away,
    courses.no_beginning,
    courses.stranded,
    courses.one_way_in,
    courses.finals,
    courses.automatic,
    courses.nobody,
    courses.endless,
    courses.endless_together,
    courses.wrong_steps,
    courses.wrong_triggers,
    permissions.without_purpose,
    permissions.newly_personal,
    permissions.hidden_columns,
    permissions.closed_questions,
    permissions.unreadable_entities,
    permissions.unreadable_messages,
    permissions.unreadable_by_all,
    permissions.useless,
    types.swapped_types,
    types.swapped_fields,
    types.wrong_keys,
    types.wrong_bounds,
    types.computed_wrongly,
    types.twice_defined,
    types.wrong_scopes,
)


@cache
def packs() -> tuple[Pack, ...]:
    """Return the packs of the repository: those of the product, and those of the tests."""
    folders = [*PACKS.iterdir(), *(path for path in (TESTS / "packs").iterdir() if path != LIBRARY)]
    found = [folder for folder in folders if folder.is_dir() and read_folder(folder)]
    return tuple(Pack(folder.name, _complete(folder)) for folder in sorted(found))


def _complete(folder: Path) -> dict[str, str]:
    """Return the files of a pack, and of the packs in the library of the tests."""
    files = dict(read_folder(folder))
    if not folder.is_relative_to(TESTS):
        return files
    return files | {f"@{name}": text for name, text in read_folder(LIBRARY).items()}


def mutants_of(pack: Pack, kind: str = "") -> Iterator[Mutant]:
    """Yield every mutant of a pack whose kind begins so, in a fixed order."""
    for mutator in MUTATORS:
        yield from (mutant for mutant in mutator(pack) if mutant.kind.startswith(kind))


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants of each kind were made and caught, and those that were not."""

    made: Counter[str]
    caught: Counter[str]
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """The part that was caught, from 0 to 1."""
        return self.caught.total() / max(1, self.made.total())

    def text(self) -> str:
        """Return the score for a reader."""
        lines = [f"{self.caught[kind]:>6}/{made:<6} {kind}" for kind, made in sorted(self.made.items())]
        lines.append(f"{self.caught.total():>6}/{self.made.total():<6} caught at the right line: {self.share:.2%}")
        return "\n".join(lines) + "\n"


def score(
    chosen: Iterable[Pack], *, kind: str = "", every: int = 1, jobs: int = 1, tell: Callable[[str], object] = str
) -> Score:
    """Return the score of some packs, of every so manieth mutant; `tell` is told of each survivor at once."""
    made: Counter[str] = Counter()
    caught: Counter[str] = Counter()
    survivors = []
    for pack in chosen:
        tasks = [(pack.name, kind, every, job, jobs) for job in range(jobs)]
        for name, survivor in _each(tasks):
            made[name] += 1
            if survivor:
                survivors.append(survivor)
                tell(f"{survivor}\n")
            else:
                caught[name] += 1
    return Score(made, caught, tuple(survivors))


Task = tuple[str, str, int, int, int]


def _each(tasks: list[Task]) -> Iterator[tuple[str, str]]:
    if len(tasks) == 1:
        yield from _tried(tasks[0])
        return
    with ProcessPoolExecutor(len(tasks)) as pool:
        for found in pool.map(_listed, tasks):
            yield from found


def _listed(task: Task) -> list[tuple[str, str]]:
    return list(_tried(task))


def _tried(task: Task) -> Iterator[tuple[str, str]]:
    """Yield the kinds of the mutants of one share, each with what is said of it where nobody caught it."""
    name, kind, every, job, jobs = task
    pack = next(each for each in packs() if each.name == name)
    for number, mutant in enumerate(mutants_of(pack, kind)):
        if number % every == 0 and number // every % jobs == job:
            problems = mutant.problems(pack)
            fine = mutant.caught(pack, problems)
            said = "; ".join(f"{each.place} {each.code}" for each in problems[:4])
            yield mutant.kind, "" if fine else f"{mutant.shown(pack)}   [{said}]"
