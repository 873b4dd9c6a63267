"""Personal data: every field has a purpose, every entity says how long it keeps it."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.entity import Entity
from definitions.spec.network import Network


def check_privacy(checked: Checked) -> Iterator[Problem]:
    """Yield the personal fields without a purpose, and the entities that keep personal data for ever."""
    for entity in checked.network.entities.values():
        if checked.whole("entity", entity.name):
            yield from _entity(checked.network, entity)


def _entity(network: Network, entity: Entity) -> Iterator[Problem]:
    personal = [field for field in entity.fields.values() if field.personal is not None and not field.built_in]
    for field in personal:
        if field.purpose is None and entity.purpose is None:
            sentence = say("Nothing says why the personal data '{name}' is kept.", name=field.name)
            yield Problem(
                "privacy.no_purpose",
                field.place,
                sentence,
                say("Add 'purpose:' to it, or 'privacy: {{purpose: …}}' to {name}.", name=entity.name),
            )
    if personal and not _ends(network, entity):
        sentence = say("Nothing says how long the personal data of {name} is kept.", name=entity.name)
        yield Problem(
            "privacy.no_retention",
            entity.place,
            sentence,
            say("Add 'retention: {after: 3 years, since: last_activity_at}'."),
        )


def _ends(network: Network, entity: Entity) -> bool:
    """Whether something says how long records are kept: of the entity, or of what they are lines of."""
    above = network.entities.get(entity.parent or "")
    return entity.retention is not None or (above is not None and above is not entity and _ends(network, above))
