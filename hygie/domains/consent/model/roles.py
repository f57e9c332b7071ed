"""Roles of the access matrix: professions, others, named jobs; and how FHIR codes name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from hygie.kernel.security.caller import Duty
from hygie.kernel.security.dated import Columns, load

HEALTH_PROFESSIONS = "G15"
"""The family of TRE_G15."""
_TRAINING = {"G16": "training:"}


@dataclass(frozen=True, slots=True)
class Role:
    """One role.

    Attributes:
        family: the list it comes from: G15 (health professions), G16 (in training), R94, R95 and
            R291 (JDV_J48), ``own``.
        line: the line of ``matrix.csv`` by which it reads.
        label_fr: its name.
        label_en: its name.
        emergency: may declare an emergency.
        centre_15: may open a record as Centre 15.
        acts_under: always acts under a named professional.
    """

    family: str
    line: str
    label_fr: str
    label_en: str
    emergency: bool
    centre_15: bool
    acts_under: bool

    def label(self, language: str) -> str:
        """Return its name in ``fr`` or ``en``."""
        return self.label_fr if language == "fr" else self.label_en


def _make(columns: Columns) -> Role:
    return Role(
        family=columns["family"],
        line=columns["line"],
        label_fr=columns["label_fr"],
        label_en=columns["label_en"],
        emergency=columns["emergency"] == "yes",
        centre_15=columns["centre_15"] == "yes",
        acts_under=columns["acts_under"] == "yes",
    )


ROLES = load("hygie.domains.consent", "definitions/roles.csv", key=("role",), make=_make)
DUTIES = load(
    "hygie.domains.consent",
    "definitions/duties.csv",
    key=("duty", "role"),
    make=lambda columns: Duty(columns["duty"]),
)
_SYSTEMS = load(
    "hygie.domains.consent",
    "definitions/role_systems.csv",
    key=("system", "prefix"),
    make=lambda columns: columns["family"],
)
_FAMILIES = {
    system: [
        (prefix, family) for (one, prefix), family in _SYSTEMS.latest().items() if one == system
    ]
    for system in {key[0] for key in _SYSTEMS.by_key}
}


def role_of(system: str, code: str) -> str | None:
    """Return the role that a coding names, None where it names none.

    A speciality narrows nothing: ``G15_10/SM04`` of JDV_J01 is a doctor.

    >>> role_of("urn:oid:1.2.250.1.213.1.1.4.5", "G15_10/SM04")
    '10'
    >>> role_of("http://terminology.hl7.org/CodeSystem/practitioner-role", "doctor") is None
    True
    """
    for prefix, family in _FAMILIES.get(system, ()):
        if code.startswith(prefix):
            plain = code.removeprefix(prefix).partition("/")[0]
            role = _TRAINING.get(family, "") + plain
            rows = ROLES.by_key.get((role,))
            if rows and rows[-1].value.family == family and not role.startswith("job:"):
                return role
    return None


def family_of(role: str) -> str:
    """Return the list a role comes from, empty where no table names it.

    >>> family_of("10"), family_of("secretary"), family_of("nobody")
    ('G15', 'own', '')
    """
    rows = ROLES.by_key.get((role,))
    return rows[-1].value.family if rows else ""


def duties(roles: Iterable[str], *, at: date) -> frozenset[Duty]:
    """Return what is reserved to one of the roles (``definitions/duties.csv``)."""
    held = DUTIES.holding(at)
    return frozenset(duty for duty in Duty if any((duty, role) in held for role in roles))


def may_declare(roles: Iterable[str], *, centre_15: bool, at: date) -> bool:
    """Tell whether one of the roles may open a record in an emergency, or as Centre 15."""
    held = ROLES.holding(at)
    known = (held[role,] for role in roles if (role,) in held)
    return any(one.centre_15 if centre_15 else one.emergency for one in known)


def labels(roles: Iterable[str], language: str) -> str:
    """Return the names of roles, most usual first, such as ``Médecin``."""
    latest = ROLES.latest()
    return ", ".join(latest[role,].label(language) for role in sorted(roles) if (role,) in latest)
