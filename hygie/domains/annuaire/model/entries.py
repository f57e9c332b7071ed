"""What an extraction says: people, what they practise where, and structures."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Address:
    """Where a structure is.

    Attributes:
        lines: way and what helps to find the door.
        postal_code: five digits, empty where unknown.
        city: the commune as it is said.
        insee: INSEE code of the commune, empty where unknown.
    """

    lines: tuple[str, ...] = ()
    postal_code: str = ""
    city: str = ""
    insee: str = ""


@dataclass(frozen=True, slots=True)
class Structure:
    """A place of practice or an establishment.

    Attributes:
        name: what is written at the door.
        finess: number of the site.
        finess_ej: number of the legal entity.
        siret: number of the site as a business.
        technical: identifier of the national directory.
        sector: code of TRE_R02.
        category: code and label of the FINESS category (TRE_R66).
    """

    name: str
    finess: str = ""
    finess_ej: str = ""
    siret: str = ""
    technical: str = ""
    sector: str = ""
    category: tuple[str, str] = ("", "")
    address: Address = field(default_factory=Address)
    phone: str = ""
    email: str = ""

    @property
    def key(self) -> str:
        """Return what tells this structure from the others, the most official number first."""
        return self.finess or self.siret or self.technical


@dataclass(frozen=True, slots=True)
class Activity:
    """One profession practised in one place, or nowhere that is known.

    Attributes:
        profession: code of TRE_G15.
        specialties: codes of know-how (TRE_R38 and its sister lists).
        mode: code of TRE_R23: L free practice, S salaried, B voluntary.
        structure: where, None where the extraction names no place.
    """

    profession: str
    specialties: tuple[str, ...] = ()
    mode: str = ""
    structure: Structure | None = None

    @property
    def place(self) -> str:
        """Return the key of the structure, empty where there is none."""
        return self.structure.key if self.structure else ""


@dataclass(frozen=True, slots=True)
class Person:
    """A professional and all that is practised now.

    Attributes:
        national_id: as the directory gives it; never built nor interpreted.
        rpps: eleven digits, empty for who has none.
    """

    national_id: str
    rpps: str
    family: str
    given: str
    title: str = ""
    civility: str = ""
    activities: tuple[Activity, ...] = ()

    @property
    def professions(self) -> frozenset[str]:
        """Return the codes of the professions practised."""
        return frozenset(one.profession for one in self.activities)

    @property
    def specialties(self) -> tuple[str, ...]:
        """Return the codes of the know-how, once each, in the order of their codes."""
        return tuple(sorted({code for one in self.activities for code in one.specialties}))


@dataclass(frozen=True, slots=True)
class Remark:
    """A line that was refused, or a doubt about one that was taken.

    Attributes:
        line: its number in the file, from 1.
        reason: what is wrong and what to do; it quotes nothing of the line but numbers.
        refused: whether the line was left out.
    """

    line: int
    reason: str
    refused: bool = True
