"""The words of a ``scope`` that name no data, and what of a scope is granted.

Source: OpenID Connect Core 1.0, section 5.4; SMART App Launch 2.2.0, "Scopes and Launch Context".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hygie.kernel.security.scopes import InvalidScope, Scope, is_clinical, parse, within

OPENID, PROFILE, FHIR_USER = "openid", "profile", "fhirUser"
LAUNCH, LAUNCH_PATIENT, LAUNCH_ENCOUNTER = "launch", "launch/patient", "launch/encounter"
ONLINE, OFFLINE = "online_access", "offline_access"
INTROSPECTION = "introspection"
"""Lets a resource server ask about every token; the operator alone grants it."""
PLAIN = (OPENID, PROFILE, FHIR_USER, LAUNCH, LAUNCH_PATIENT, LAUNCH_ENCOUNTER, ONLINE, OFFLINE)
FOR_PEOPLE, FOR_SERVICES = ("patient", "user"), ("system",)
KEPT = frozenset({OPENID, LAUNCH, LAUNCH_PATIENT, LAUNCH_ENCOUNTER})
"""Words nobody unticks: without them the application cannot begin, and they show no data."""
_CONTEXT = re.compile(r"fhircast/(?:[A-Za-z]+(?:-(?:open|close))?|\*)\.(?:read|write|\*)")
MOST = 60
"""Words of one scope."""


def names_no_data(word: str) -> bool:
    """Tell whether a word may be granted that reaches no record by itself.

    The words of FHIRcast 3.0.0 (section 2.2) are among them: the hub checks them.

    >>> names_no_data("launch"), names_no_data("fhircast/Patient-open.read"), names_no_data("x")
    (True, True, False)
    """
    return word in PLAIN or _CONTEXT.fullmatch(word) is not None


def clinical(words: Iterable[str], contexts: Sequence[str]) -> list[Scope]:
    """Return the scopes of data of some contexts, those of version 1 translated.

    Raises:
        InvalidScope: one is not written as the standard writes it.
    """
    found = [parse(word) for word in words if is_clinical(word)]
    return [one for one in found if one.context in contexts]


def allowed(asked: Iterable[str], approved: Iterable[str], *contexts: str) -> tuple[str, ...]:
    """Return what is asked and approved both; nothing is added.

    >>> allowed(["openid", "user/*.rs", "email"], ["openid", "user/Patient.r"], "user")
    ('openid', 'user/Patient.r')

    Raises:
        InvalidScope: a scope of data is not written as the standard writes it, or there are more
            than ``MOST`` words: each is compared with each.
    """
    asked, approved = list(dict.fromkeys(asked)), list(approved)
    if len(asked) > MOST:
        raise InvalidScope(f"Ask for at most {MOST} scopes.")
    kept = [word for word in asked if names_no_data(word) and word in approved]
    data = within(clinical(asked, contexts), clinical(approved, contexts))
    return (*kept, *(str(one) for one in data))


def covers(held: Iterable[str], asked: Iterable[str]) -> bool:
    """Tell whether all that is asked is held: a refresh may lose scopes and never gain one.

    >>> covers(["patient/Observation.rs?category=x"], ["patient/Observation.rs"])
    False
    >>> covers(["openid", "patient/*.rs"], ["patient/Observation.r"])
    True
    """
    held, asked = list(held), list(asked)
    data = [parse(word) for word in held if is_clinical(word)]
    return all(
        any(one.covers(parse(word)) for one in data) if is_clinical(word) else word in held
        for word in asked
    )


def wants_patient(words: Iterable[str]) -> bool:
    """Tell whether a patient must be known before anything is granted."""
    return any(word == LAUNCH_PATIENT or word.startswith("patient/") for word in words)
