"""What a carte Vitale says of its people: identity and rights, as the card itself gives it.

Form of the simulators. The real card gives the same facts (NIR and rank, regime, fund, centre,
periods of rights, exemptions: france.md 11.4, to confirm) through approved software.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Annotated

import msgspec

from hygie.domains.cards.model.refusal import CardRefused, Why

Short = Annotated[str, msgspec.Meta(max_length=100)]
Number = Annotated[str, msgspec.Meta(pattern=r"^[0-9AB]{13}([0-9]{2})?$")]
Rank = Annotated[int, msgspec.Meta(ge=1, le=9)]


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days on which rights are open, both included; no ``last`` where no end is known."""

    first: date
    last: date | None = None


class Beneficiary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One person of the card: strict traits, INS with its OID, rank of birth, rights.

    ``exemptions`` are words such as ``ALD`` or ``C2S``: they are health data.
    """

    ins: Number
    ins_oid: Short
    family: Short
    given: Short
    birth_date: date
    rank: Rank = 1
    insured: bool = False
    rights: Annotated[tuple[Period, ...], msgspec.Meta(max_length=10)] = ()
    exemptions: Annotated[tuple[Short, ...], msgspec.Meta(max_length=10)] = ()

    @property
    def system(self) -> str:
        """Return the system of the INS (FR Core)."""
        return f"urn:oid:{self.ins_oid}"

    def period_on(self, day: date) -> Period | None:
        """Return the period of rights that holds on a day, None where rights are closed."""
        held = (
            one for one in self.rights if one.first <= day and (one.last is None or day <= one.last)
        )
        return next(held, None)


class ReadOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of a card: its number, the insured, the fund that pays, the beneficiaries."""

    card: Short
    insured: Number
    regime: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}$")]
    fund: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{3}$")]
    centre: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}$")]
    beneficiaries: Annotated[tuple[Beneficiary, ...], msgspec.Meta(min_length=1, max_length=20)]

    @property
    def payor(self) -> str:
        """Return regime, fund and centre, the nine digits of who pays."""
        return f"{self.regime}{self.fund}{self.centre}"


def read_content(content: bytes, *, systems: Collection[str]) -> ReadOut:
    """Return what a card holds; ``systems`` are those of the matricules met here.

    Raises:
        CardRefused: it cannot be read, or names a matricule of another realm.
    """
    try:
        found = msgspec.json.decode(content, type=ReadOut)
    except msgspec.DecodeError as wrong:
        raise CardRefused(Why.UNREADABLE) from wrong
    if any(one.system not in systems for one in found.beneficiaries):
        raise CardRefused(Why.OTHER_REALM)
    return found
