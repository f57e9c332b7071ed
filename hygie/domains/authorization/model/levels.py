"""``acr`` and ``amr``: what a session proved, in the words of OpenID Connect.

The level is deduced from what was done (hygie/kernel/web/definitions/levels.csv), never from what
was asked. Sources: eIDAS regulation 910/2014, article 8; RFC 8176 for ``amr``.
"""

from __future__ import annotations

from collections.abc import Iterable

EIDAS = ("", "eidas1", "eidas2", "eidas3")
_AMR = {
    "password": ("pwd",),
    "totp": ("otp",),
    "sms-code": ("sms",),
    "paper-code": ("otp",),
    "recovery-code": ("otp",),
    "passkey": ("hwk", "user"),
    "card": ("sc", "pin"),
}


def acr(level: int) -> str:
    """Return the word of a level.

    >>> acr(2)
    'eidas2'
    """
    return EIDAS[level]


def level_asked(values: str) -> int:
    """Return the lowest level that ``acr_values`` accepts; 0 where none is known.

    >>> level_asked("eidas3 eidas2"), level_asked("urn:other")
    (2, 0)
    """
    known = [EIDAS.index(one) for one in values.split() if one in EIDAS]
    return min(known, default=0)


def amr(methods: Iterable[str]) -> list[str]:
    """Return the methods in the words of RFC 8176, ``mfa`` where they are several factors.

    >>> amr(["password", "totp"])
    ['mfa', 'otp', 'pwd']
    """
    found = set(methods)
    words = {word for method in found for word in _AMR.get(method, (method,))}
    if len(found & set(_AMR)) > 1:
        words.add("mfa")
    return sorted(words)
