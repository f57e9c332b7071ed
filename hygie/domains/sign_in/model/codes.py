"""One-time codes that people read aloud or copy from paper: made, read back, never stored clear.

The letters are Crockford's base 32: no I, L, O nor U; what is read as one of them is corrected.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from hygie.kernel.security.dated import Columns, DatedTable, load

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DIGITS = "0123456789"
ALPHABETS = {"letters": LETTERS, "digits": DIGITS}
GROUP = 4
"""Characters between two dashes."""
MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


class CodeKind(enum.StrEnum):
    """What a code opens; the first, third and fourth are words of ``definitions/levels.csv``."""

    ACTIVATION = "activation-sheet"
    RECOVERY = "recovery-sheet"
    PAPER = "paper-code"
    SMS = "sms-code"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kind of code is made.

    Attributes:
        characters: how many, drawn from ``alphabet``.
        lasts: how long it may be used.
        tries: how many wrong tries make it void.
    """

    characters: int
    alphabet: str
    lasts: timedelta
    tries: int


def shape_of(kind: CodeKind, *, at: date) -> Shape:
    """Return how codes of a kind are made on a day.

    >>> shape_of(CodeKind.SMS, at=date(2026, 1, 1)).lasts
    datetime.timedelta(seconds=600)
    """
    return _shapes().value(kind.value, at=at)


def make(shape: Shape) -> str:
    """Return a new code, without dashes."""
    return "".join(secrets.choice(shape.alphabet) for _ in range(shape.characters))


def spoken(code: str) -> str:
    """Return a code in groups that can be read aloud.

    >>> spoken("7KQ2M8XA")
    '7KQ2-M8XA'
    """
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def heard(typed: str) -> str:
    """Return what somebody typed as it was printed: without dashes, misread letters corrected.

    >>> heard(" 7kq2 m8xa-ol ")
    '7KQ2M8XA01'
    """
    kept = "".join(sign for sign in typed.upper() if sign.isascii() and sign.isalnum())
    return kept.translate(MISREAD)


def fingerprint(key: bytes, *, account: int, kind: str, text: str) -> bytes:
    """Return what is stored in place of a code: HMAC-SHA-256 under a key kept elsewhere.

    The codes are random, so a slow hash adds nothing; the key makes short ones safe as well.
    """
    return hmac.digest(key, f"{kind}:{account}:{text}".encode(), hashlib.sha256)


@cache
def _shapes() -> DatedTable[Shape]:
    return load("hygie.domains.sign_in", "definitions/codes.csv", key=("kind",), make=_shape)


def _shape(columns: Columns) -> Shape:
    return Shape(
        int(columns["characters"]),
        ALPHABETS[columns["alphabet"]],
        timedelta(minutes=int(columns["minutes"])),
        int(columns["tries"]),
    )
