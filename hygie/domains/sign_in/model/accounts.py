"""What an account may be, and where it enters."""

from __future__ import annotations

import enum


class Kind(enum.StrEnum):
    """What sort of person holds the account; the kernel's ``Kind`` in lower case."""

    PATIENT = "patient"
    PROFESSIONAL = "professional"
    ADMINISTRATOR = "administrator"
    RESEARCHER = "researcher"


PORTALS = {
    Kind.PATIENT: "patient",
    Kind.PROFESSIONAL: "professional",
    Kind.ADMINISTRATOR: "establishment",
    Kind.RESEARCHER: "research",
}
"""The portal each kind enters."""
