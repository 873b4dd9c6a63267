"""The entity that every network has: its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from definitions.expr import STRING, Member, RecordOf, Scope, compile_expression
from definitions.problems import NOWHERE
from definitions.spec.entity import Field, Option
from definitions.spec.value import Value
from definitions.text import Text

MEMBER = "member"

_FULL_NAME = Value(
    NOWHERE,
    expression=compile_expression(
        'record.first_name + " " + record.last_name',
        NOWHERE,
        Scope(
            {"record": RecordOf(MEMBER)},
            {MEMBER: {"first_name": Member(STRING, nullable=False), "last_name": Member(STRING, nullable=False)}},
        ),
        expect=STRING,
    ),
)

_BUILT_IN_MEMBER: tuple[Field, ...] = (
    Field(
        "first_name", "text", Text({"fr": "Prénom", "en": "First name"}), NOWHERE, required=True, personal="identity"
    ),
    Field("last_name", "text", Text({"fr": "Nom", "en": "Last name"}), NOWHERE, required=True, personal="identity"),
    Field(
        "email", "email", Text({"fr": "E-mail", "en": "E-mail"}), NOWHERE, required=True, unique=(), personal="contact"
    ),
    Field("phone", "phone", Text({"fr": "Téléphone", "en": "Phone"}), NOWHERE, personal="contact"),
    Field("language", "language", Text({"fr": "Langue", "en": "Language"}), NOWHERE),
    Field("country", "country", Text({"fr": "Pays", "en": "Country"}), NOWHERE, personal="contact"),
    Field("sponsor", "reference", Text({"fr": "Parrain", "en": "Sponsor"}), NOWHERE, to=MEMBER, personal="connection"),
    Field("levels", "choices", Text({"fr": "Niveaux d’accès", "en": "Levels"}), NOWHERE),
    Field(
        "active",
        "boolean",
        Text({"fr": "Actif", "en": "Active"}),
        NOWHERE,
        required=True,
        default=Value(NOWHERE, literal=True),
    ),
    Field("joined_at", "datetime", Text({"fr": "Arrivée", "en": "Joined"}), NOWHERE),
    Field(
        "name", "text", Text({"fr": "Nom complet", "en": "Full name"}), NOWHERE, compute=_FULL_NAME, personal="identity"
    ),
)
MEMBER_PURPOSE = Text({"fr": "Fonctionnement du réseau", "en": "Running the network"})
MEMBER_TITLE = "{{ record.name }}"


def built_in_member(levels: Mapping[str, Text]) -> dict[str, Field]:
    """Return the fields that every member has; `levels` are the options of `levels`."""
    options = {name: Option(name, label, NOWHERE) for name, label in levels.items()}
    return {
        shape.name: replace(shape, built_in=True, options=options if shape.name == "levels" else {})
        for shape in _BUILT_IN_MEMBER
    }
