"""Numbers of people and structures, and their keys: a wrong key warns and refuses nothing.

Fictive numbers of the test platforms often have a wrong key, and so have some real ones: the
directory is the authority, not the arithmetic.
"""

from __future__ import annotations

import re

RPPS_LENGTH, FINESS_LENGTH, SIRET_LENGTH = 11, 9, 14
_FINESS = re.compile(r"[0-9][0-9AB][0-9]{7}")


def has_right_key(number: str) -> bool:
    """Tell whether the last digit is the Luhn key of the others.

    Corsican FINESS numbers (2A, 2B) count as 2 followed by 0.

    >>> has_right_key("750712184"), has_right_key("750712185")
    (True, False)
    """
    digits = number.replace("A", "0").replace("B", "0")
    if not (digits.isascii() and digits.isdigit()):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digits of 10 to 18
    return total % 10 == 0


def is_rpps(text: str) -> bool:
    """Tell whether a text has the form of an RPPS number: eleven digits."""
    return len(text) == RPPS_LENGTH and text.isascii() and text.isdigit()


def is_finess(text: str) -> bool:
    """Tell whether a text has the form of a FINESS number: nine characters."""
    return _FINESS.fullmatch(text) is not None


def is_siret(text: str) -> bool:
    """Tell whether a text has the form of a SIRET number: fourteen digits."""
    return len(text) == SIRET_LENGTH and text.isascii() and text.isdigit()
