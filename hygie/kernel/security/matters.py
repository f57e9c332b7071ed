"""What a resource is about, in the terms of the access matrix: its *matter*, one small number.

The matters are the 114 document types of JDV_J07, the older types still accepted on input, and own
codes for facts that are no document. A number is never given to another code. The matter of a
resource is decided when it is written and stands in the column ``matter`` of its row; 0 is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hygie.kernel.security.dated import BrokenTable, Columns, load

UNKNOWN: Final = 0
"""The matter of what no table places: for doctors and the person only."""
MASK_BYTES: Final = 32
"""Length of a set of matters: one bit for each number from 0 to 255."""
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Matter:
    """One line of the access matrix.

    Attributes:
        number: from 1 to 199, never given again.
        code: of JDV_J07, or our own.
        system: URI of the code system.
        document_class: class of TRE_A03, or ``own`` for facts that are no document.
        label_fr: wording of the value set.
        label_en: our translation.
        administrative: a person who helps with papers may read it.
        billing: what is needed to be paid.
        personal: expressed or left by the person; an emergency never opens it.
    """

    number: int
    code: str
    system: str
    document_class: str
    label_fr: str
    label_en: str
    administrative: bool
    billing: bool
    personal: bool


def mask(numbers: Iterable[int]) -> bytes:
    """Return a set of matters as 32 bytes, bit n in the order of PostgreSQL's ``get_bit``.

    >>> mask([0, 9]).hex()[:6]
    '010200'
    """
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits.to_bytes(MASK_BYTES, "little")


def holds(matters: bytes, number: int) -> bool:
    """Tell whether a set of matters holds one.

    >>> holds(mask([9]), 9), holds(mask([9]), 8), holds(b"", 9)
    (True, False, False)
    """
    return number >> 3 < len(matters) and bool(matters[number >> 3] >> (number & 7) & 1)


def matter_of(rt: str, codes: Iterable[str]) -> int:
    """Return the matter of a resource of type ``rt``; 0 where it is unknown.

    ``codes`` are the plain codes, without their systems, of the element that ``CODED_BY`` names
    for the type. The first code that is known decides; without any, the type itself does.
    """
    placed = _PLACES.get(rt)
    if placed is None:
        return UNKNOWN
    for code in codes:
        found = placed.by_code.get(code)
        if found is not None:
            return found
    return placed.otherwise


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one FHIR type belongs: by its codes, otherwise by itself."""

    otherwise: int
    by_code: Mapping[str, int]


def _make_matter(columns: Columns) -> Matter:
    number = int(columns["number"])
    if not 1 <= number <= 199:  # noqa: PLR2004 - 200 to 255 are kept free
        raise ValueError(f"the number {number} is not between 1 and 199")
    return Matter(
        number=number,
        code=columns["code"],
        system=columns["system"],
        document_class=columns["class"],
        label_fr=columns["label_fr"],
        label_en=columns["label_en"],
        administrative=columns["administrative"] == "yes",
        billing=columns["billing"] == "yes",
        personal=columns["personal"] == "yes",
    )


def _by_number(matters: Iterable[Matter]) -> dict[int, Matter]:
    found: dict[int, Matter] = {}
    for matter in matters:
        if matter.number in found:
            raise BrokenTable(f"matters.csv gives the number {matter.number} twice.")
        found[matter.number] = matter
    return dict(sorted(found.items()))


def _load_places() -> dict[str, _Place]:
    rows = load(__package__, "definitions/type_matters.csv", key=("type", "code"), make=dict)
    latest = rows.latest()
    documents = {one.code: one.number for one in MATTERS.values() if one.document_class != "own"}
    places: dict[str, _Place] = {}
    for rt in dict.fromkeys(key[0] for key in latest):
        codes = {key[1]: row["matter"] for key, row in latest.items() if key[0] == rt}
        if _ANY in codes:
            places[rt] = _Place(UNKNOWN, documents)
        else:
            numbers = {code: BY_CODE[matter].number for code, matter in codes.items()}
            places[rt] = _Place(numbers.pop("", UNKNOWN), numbers)
    CODED_BY.update({key[0]: row["element"] for key, row in latest.items() if row["element"]})
    return places


MATTER_TABLE = load(
    __package__, "definitions/matters.csv", key=("system", "code"), make=_make_matter
)
MATTERS: Final[Mapping[int, Matter]] = _by_number(MATTER_TABLE.latest().values())
"""Every matter by its number, those of retired codes too."""
BY_CODE: Final[Mapping[str, Matter]] = {one.code: one for one in MATTERS.values()}
"""Every matter by its plain code: no two code systems of the table share one."""
CODED_BY: Final[dict[str, str]] = {}
"""The element whose codes place a resource, by type: ``type``, ``category`` or ``code``."""
_PLACES: Final = _load_places()

ADMINISTRATIVE: Final = mask(n for n, one in MATTERS.items() if one.administrative)
"""Matters that a person who helps with papers may read."""
BILLING: Final = mask(n for n, one in MATTERS.items() if one.billing)
"""Matters that the purpose HPAYMT may read."""
PERSONAL: Final = mask(n for n, one in MATTERS.items() if one.personal)
"""Matters that an emergency never opens, and that a person may leave in the own record."""
CHOICE: Final = BY_CODE["CHOICES"].number
CARE_TEAM: Final = BY_CODE["CARE_TEAM"].number
CHOICES: Final = frozenset({CHOICE, CARE_TEAM})
"""What the person, or who represents the person, decides: consents, and who is in the team."""
EMERGENCY_DECLARATION: Final = BY_CODE["EMERGENCY_DECLARATION"].number
IDENTITY: Final = BY_CODE["IDENTITY"].number
AGENDA: Final = BY_CODE["AGENDA"].number
MESSAGE: Final = BY_CODE["MESSAGE"].number
DIRECTORY: Final = BY_CODE["DIRECTORY"].number
REIMBURSEMENT: Final = BY_CODE["REMB"].number
