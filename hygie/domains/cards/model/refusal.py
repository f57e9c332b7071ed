"""Why a card is refused: one word, which the pages explain and the log counts."""

from __future__ import annotations

import enum

from hygie.kernel.errors import Forbidden


class Why(enum.StrEnum):
    """Each has its words in ``templates/cards/refused.html``."""

    UNREADABLE = "unreadable"
    UNKNOWN_AUTHORITY = "unknown-authority"
    NOT_YET = "not-yet"
    EXPIRED = "expired"
    WEAK = "weak"
    WRONG_USE = "wrong-use"
    NOT_A_PERSON = "not-a-person"
    NO_NUMBER = "no-number"
    NO_LIST = "no-list"
    STALE_LIST = "stale-list"
    REVOKED = "revoked"
    UNKNOWN_PROFESSIONAL = "unknown-professional"
    STRUCK_OFF = "struck-off"
    OTHER_PROFESSION = "other-profession"
    CLOSED = "closed"
    OVER = "over"
    FORGED = "forged"
    OTHER_TERMINAL = "other-terminal"
    OTHER_REALM = "other-realm"
    OUT_OF_RIGHTS = "out-of-rights"


class CardRefused(Forbidden):
    """A card, or what was presented of it, is refused; ``why`` says for what reason.

    Use another card, or another way in.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(f"The card was refused ({why}). Use another card, or another way in.")
        self.why = why
