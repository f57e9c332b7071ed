"""Whom a professional's card names: number, name, profession, as its certificate states them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from cryptography import x509

from hygie.domains.cards.model.refusal import CardRefused, Why
from hygie.domains.cards.model.tables import field_oid

LONGEST = 100
FIELDS = ("number", "rpps", "family", "given", "profession")
_RPPS = 11


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a card.

    ``number`` is the national number (IDNPS), compared whole and never taken apart (CI-SIS);
    ``rpps`` is the same person's RPPS, empty where the card does not state it apart;
    ``profession`` is a code of TRE_G15, empty where the card states none.
    """

    number: str
    rpps: str
    family: str
    given: str
    profession: str


def holder_of(card: x509.Certificate, *, at: date) -> Holder:
    """Return the holder of a card.

    Raises:
        CardRefused: it names no person, or no number.
    """
    holder = Holder(*(_text(card, name, at) for name in FIELDS))
    if not holder.family or not holder.given:
        raise CardRefused(Why.NOT_A_PERSON)
    if not (holder.number.isascii() and holder.number.isalnum()):
        raise CardRefused(Why.NO_NUMBER)
    return holder


def looks_mistyped(number: str) -> bool:
    """Tell whether the check digit of a number is wrong: worth a warning, never a refusal.

    Numbers of test cards often fail it.

    >>> looks_mistyped("810001234565"), looks_mistyped("810001234562")
    (False, True)
    """
    digits = number[-_RPPS:]
    if len(digits) < _RPPS or not digits.isdecimal():
        return False
    doubled = [int(one) * (1 + place % 2) for place, one in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 != 0  # noqa: PLR2004 - Luhn


def _text(card: x509.Certificate, field: str, at: date) -> str:
    found = card.subject.get_attributes_for_oid(x509.ObjectIdentifier(field_oid(field, at)))
    value = found[0].value if len(found) == 1 else ""
    return value.strip()[:LONGEST] if isinstance(value, str) else ""
