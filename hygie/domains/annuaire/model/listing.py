"""What a professional lets everybody read of one place of practice: chosen line by line."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Self

from hygie.kernel.errors import InvalidRequest

LONGEST = 300
_PHONE = re.compile(r"\+?[0-9 .]{6,20}")
_URL = re.compile(r"https://[^\s<>\"]{4,200}")


class Sector(enum.StrEnum):
    """How fees are agreed with the health insurance."""

    ONE = "1"
    TWO = "2"
    TWO_OPTAM = "2-optam"
    NONE = "none"


class Access(enum.StrEnum):
    """What makes a place of practice accessible."""

    STEP_FREE = "step-free"
    LIFT = "lift"
    TOILET = "toilet"
    PARKING = "parking"
    SIGN_LANGUAGE = "sign-language"
    INDUCTION_LOOP = "induction-loop"


LANGUAGES = ("fr", "en", "ar", "de", "es", "it", "pl", "pt", "ro", "ru", "tr", "uk", "zh", "fsl")
"""Languages one may be received in; ``fsl`` is French sign language (BCP 47)."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What is public of one role besides the name, the profession and the specialty.

    Attributes:
        address: whether the address of practice is shown.
        phone: the number that is shown, empty for none.
        languages: codes of ``LANGUAGES``.
        accessibility: what the place offers.
        sector: how fees are agreed, None where it is not said.
        fees: usual fees, in the professional's words.
        booking: address of a booking page, empty for none.
    """

    address: bool = False
    phone: str = ""
    languages: tuple[str, ...] = ()
    accessibility: tuple[Access, ...] = ()
    sector: Sector | None = None
    fees: str = ""
    booking: str = ""

    def checked(self) -> Self:
        """Return the listing.

        Raises:
            InvalidRequest: something in it cannot be shown.
        """
        if self.phone and not _PHONE.fullmatch(self.phone):
            raise InvalidRequest("Write the phone number with digits and spaces only.")
        if self.booking and not _URL.fullmatch(self.booking):
            raise InvalidRequest("The booking page is an address that begins with https://.")
        if len(self.fees) > LONGEST:
            raise InvalidRequest(f"Say the fees in {LONGEST} characters at most.")
        if not set(self.languages) <= set(LANGUAGES):
            raise InvalidRequest("Choose the languages in the list.")
        return self
