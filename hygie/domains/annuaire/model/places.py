"""Communes: from a name, a postal code or an INSEE code to INSEE codes."""

from __future__ import annotations

import csv
import io
import lzma
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hygie.kernel.fhir.search.fold import fold

_SHORT = {"st": "saint", "ste": "sainte"}
MOST = 80
"""Communes that one text may name; a beginning of a name that fits more says nothing."""
CODE_LENGTH = 5


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune, or a municipal district of Paris, Lyon or Marseille."""

    insee: str
    name: str
    postal_codes: tuple[str, ...]


@cache
def communes() -> dict[str, Commune]:
    """Return every commune by INSEE code."""
    packed = files("hygie.domains.annuaire").joinpath("definitions/communes.csv.xz").read_bytes()
    rows = csv.DictReader(io.StringIO(lzma.decompress(packed).decode()))
    return {
        row["code"]: Commune(row["code"], row["name"], tuple(row["postal_codes"].split()))
        for row in rows
    }


@cache
def _by_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, one in communes().items():
        found.setdefault(_plain(one.name), []).append(code)
    return found


@cache
def _by_postal_code() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, one in communes().items():
        for postal_code in one.postal_codes:
            found.setdefault(postal_code, []).append(code)
    return found


def named_by(text: str) -> list[str]:
    """Return the INSEE codes that a text names: a postal code, an INSEE code, a name.

    The districts of Paris, Lyon and Marseille belong to their city. A beginning of a name is
    enough where it names few communes.

    >>> named_by("41018"), named_by("la chaussee st victor"), named_by("2A004")
    (['41018'], ['41047'], ['2A004'])
    >>> len(named_by("paris")), named_by("atlantide")
    (21, [])
    """
    plain = _plain(text)
    if not plain:
        return []
    code = plain.upper()
    if len(code) == CODE_LENGTH and any(letter.isdigit() for letter in code):
        known = [code] if code in communes() else []
        return _by_postal_code().get(code, []) or known
    exact = _by_name().get(plain, [])
    begun = [] if len(exact) > 1 else _beginning(plain)
    districts = _beginning(f"{plain} ") if exact else []
    if exact:
        return [*exact, *(one for one in districts if _is_district(one))]
    return begun if len(begun) <= MOST else []


def _beginning(plain: str) -> list[str]:
    return [code for name, codes in _by_name().items() if name.startswith(plain) for code in codes]


def _is_district(code: str) -> bool:
    name = communes()[code].name
    return name.endswith("Arrondissement")


def _plain(text: str) -> str:
    words = fold(text.replace("-", " ").replace("’", " ").replace("'", " ")).split()
    return " ".join(_SHORT.get(word, word) for word in words)
