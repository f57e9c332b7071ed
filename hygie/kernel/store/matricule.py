"""Numbers of the national health identity (INS), as people write them.

A matricule is a NIR: 13 characters, then a key of two digits, for which the Corsican departments 2A
and 2B count as 19 and 18. The key is often wrong in what people type and in test identities, so it
is never a reason to refuse.
"""

from __future__ import annotations

import re

from hygie.kernel.errors import InvalidRequest

INS_SYSTEMS = (
    "urn:oid:1.2.250.1.213.1.4.8",
    "urn:oid:1.2.250.1.213.1.4.9",
    "urn:oid:1.2.250.1.213.1.4.10",
    "urn:oid:1.2.250.1.213.1.4.11",
)
"""NIR, waiting number, test NIR and demonstration NIR."""
REALM_SYSTEMS = {
    "production": frozenset(INS_SYSTEMS[:2]),
    "test": frozenset({INS_SYSTEMS[2]}),
    "demonstration": frozenset(INS_SYSTEMS[2:]),
}
"""By realm of an installation, the matricules that a sign-in may lead to."""

WITHOUT_KEY = 13
_SEPARATED = r"[0-9](?:[ .]?[0-9]){5}[ .]?[0-9AB](?:[ .]?[0-9]){6}(?:[ .]?[0-9]{2})?"
_IN_TEXT = re.compile(rf"(?<![0-9A-Z]){_SEPARATED}(?![0-9A-Z])", re.IGNORECASE)


def key_of_number(number: str) -> str:
    """Return the key of the first 13 characters.

    >>> key_of_number("2790351215189"), key_of_number("253072B073004")
    ('89', '70')
    """
    digits = int(number.replace("2A", "19").replace("2B", "18"))
    return f"{97 - digits % 97:02d}"


def find_matricule(text: str) -> tuple[str, str | None]:
    """Return the text without the first matricule in it, and that matricule without spaces.

    >>> find_matricule("Le Gall 2 53 07 2b 073 004 70")
    ('Le Gall  ', '253072B07300470')
    """
    match = _IN_TEXT.search(text)
    if match is None:
        return text, None
    rest = f"{text[: match.start()]} {text[match.end() :]}"
    return rest, re.sub(r"[ .]", "", match[0]).upper()


def read_matricule(text: str) -> str:
    """Return the one matricule a text is, without spaces.

    Raises:
        InvalidRequest: it is none.
    """
    rest, found = find_matricule(text)
    if found is None or rest.strip():
        raise InvalidRequest("An INS is 13 characters, or 15 with its key.")
    return found


def written_forms(matricule: str) -> list[str]:
    """Return the ways a matricule may be stored: with its key and without.

    >>> written_forms("2790351215189"), written_forms("279035121518989")
    (['2790351215189', '279035121518989'], ['279035121518989', '2790351215189'])
    """
    if len(matricule) == WITHOUT_KEY:
        return [matricule, matricule + key_of_number(matricule)]
    return [matricule, matricule[:WITHOUT_KEY]]
