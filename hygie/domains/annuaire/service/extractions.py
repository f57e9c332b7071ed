"""Read the open extractions line by line: nothing of a file is held but one person's lines.

A line that cannot be taken is told with its number and the reason; a wrong key is told and taken.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from hygie.domains.annuaire.model import numbers
from hygie.domains.annuaire.model.entries import Activity, Address, Person, Remark, Structure
from hygie.domains.annuaire.model.nomenclature import columns, professions
from hygie.kernel.errors import InvalidRequest

Tell = Callable[[Remark], None]
Cells = dict[str, str]
RPPS_KIND = "8"
ACTIVITIES, FINESS = "activities", "finess"
_OVERSEAS = "97"
_CODE = 5


@dataclass(slots=True)
class Reading:
    """One extraction being read.

    Attributes:
        tell: takes each remark.
        at: day of the extraction, which chooses the columns.
        lines: how many lines of data were read.
        taken: how many of them were taken.
    """

    tell: Tell
    at: date
    lines: int = 0
    taken: int = 0
    _seen: set[str] = field(default_factory=set)

    def people(self, file: IO[str]) -> Iterator[Person]:
        """Yield the people of an activities extraction, each with all lines that follow.

        Raises:
            InvalidRequest: the first line does not name the columns.
        """
        held = (cells for cells in self._rows(file) if self._is_taken(cells))
        for national_id, group in groupby(held, key=lambda cells: cells["national_id"]):
            rows = list(group)
            if national_id in self._seen:
                for cells in rows:
                    self._refuse(
                        cells,
                        "the lines of one person must follow each other; sort the file",
                    )
                continue
            self._seen.add(national_id)
            self.taken += len(rows)
            yield self._person(rows)

    def structures(self, file: IO[str]) -> Iterator[Structure]:
        """Yield the establishments of a FINESS extraction."""
        named = {name: int(place) for name, (place, _) in columns(FINESS, at=self.at).items()}
        for number, row in enumerate(csv.reader(file, delimiter=";", quoting=csv.QUOTE_NONE), 1):
            if not row or row[0] != "structureet":
                continue
            self.lines += 1
            if len(row) <= max(named.values()):
                self.tell(
                    Remark(
                        number,
                        f"the line has {len(row)} cells; {max(named.values()) + 1} are needed",
                    )
                )
                continue
            cells = {name: row[place].strip() for name, place in named.items()}
            if not numbers.is_finess(cells["finess"]) or not cells["name"]:
                self.tell(
                    Remark(number, "a FINESS number of nine characters and a name are needed")
                )
                continue
            self._check_key(number, "FINESS", cells["finess"])
            self.taken += 1
            yield _establishment(cells)

    def _rows(self, file: IO[str]) -> Iterator[Cells]:
        reader = csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE)
        heads = [head.strip().lstrip("\ufeff") for head in next(reader, [])]
        places = _places(heads, self.at)
        for number, row in enumerate(reader, 2):
            if not row:
                continue
            self.lines += 1
            if len(row) < len(heads):
                self.tell(
                    Remark(
                        number, f"the line has {len(row)} cells where the first names {len(heads)}"
                    )
                )
                continue
            read = {name: "" if at is None else row[at].strip() for name, at in places.items()}
            yield {"line": str(number)} | read

    def _is_taken(self, cells: Cells) -> bool:
        missing = [name for name in ("national_id", "family", "profession") if not cells[name]]
        if missing:
            return self._refuse(cells, f"nothing stands in {', '.join(missing)}")
        if cells["profession"] not in professions("fr"):
            return self._refuse(
                cells, f"profession {cells['profession'][:10]} is no code of TRE_G15"
            )
        number = int(cells["line"])
        if cells["type"] == RPPS_KIND:
            if not numbers.is_rpps(cells["number"]):
                return self._refuse(cells, "an RPPS number has eleven digits")
            self._check_key(number, "RPPS", cells["number"])
        for kind, is_one in (("finess", numbers.is_finess), ("siret", numbers.is_siret)):
            if cells[kind] and not is_one(cells[kind]):
                self.tell(
                    Remark(
                        number,
                        f"the {kind.upper()} number has not its form: left out",
                        refused=False,
                    )
                )
                cells[kind] = ""
        return True

    def _refuse(self, cells: Cells, reason: str) -> bool:
        self.tell(Remark(int(cells["line"]), reason))
        return False

    def _check_key(self, line: int, kind: str, number: str) -> None:
        if not numbers.has_right_key(number):
            self.tell(
                Remark(
                    line, f"the key of the {kind} number is wrong: taken as it is", refused=False
                )
            )

    def _person(self, rows: list[Cells]) -> Person:
        first = rows[0]
        merged: dict[tuple[str, str, str], Activity] = {}
        for cells in rows:
            one = _activity(cells)
            key = (one.profession, one.place, one.mode)
            before = merged.get(key)
            skills = {*one.specialties, *(before.specialties if before else ())}
            merged[key] = Activity(
                one.profession,
                tuple(sorted(skills)),
                one.mode,
                before.structure if before else one.structure,
            )
        return Person(
            first["national_id"],
            first["number"] if first["type"] == RPPS_KIND else "",
            first["family"],
            first["given"],
            first["title"],
            first["civility"],
            tuple(merged.values()),
        )


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Give the text of a file, or of the only one of its kind in a ZIP.

    Raises:
        InvalidRequest: it is not there, or is no text or ZIP.
    """
    try:
        if path.suffix.lower() == ".zip":
            with ZipFile(path) as archive:
                name = _member(archive, path)
                with (
                    archive.open(name) as packed,
                    io.TextIOWrapper(packed, "utf-8-sig", errors="replace") as text,
                ):
                    yield text
        else:
            with path.open(encoding=_encoding(path), errors="replace", newline="") as text:
                yield text
    except (OSError, BadZipFile) as error:
        raise InvalidRequest(
            f"{path} cannot be read: give an extraction as text or ZIP."
        ) from error


def kind_of(path: Path) -> str:
    """Return which extraction a file is, by its first line.

    Raises:
        InvalidRequest: it is none that Hygie reads.
    """
    with opened(path) as text:
        first = text.readline(10_000)
    if first.startswith(("finess;", "structureet;")):
        return FINESS
    if "Identification nationale PP" in first and "Code profession" in first:
        return ACTIVITIES
    raise InvalidRequest(
        f"{path.name} is none of the extractions that are read: PS_LibreAcces_Personne_activite of "
        "Annuaire Santé, or the list of establishments of FINESS."
    )


def _encoding(path: Path) -> str:
    """Return UTF-8, or Latin-1 where the beginning is none: FINESS has been both."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    try:
        head[: head.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _member(archive: ZipFile, path: Path) -> str:
    names = [name for name in archive.namelist() if name.lower().endswith((".txt", ".csv"))]
    wanted = [name for name in names if "Personne_activite" in name] or names
    if len(wanted) != 1:
        raise InvalidRequest(f"{path.name} holds {len(wanted)} files that may be meant; unpack it.")
    return wanted[0]


def _places(heads: list[str], at: date) -> dict[str, int | None]:
    """Return the position of each column, None of one that the file does not have."""
    known = columns(ACTIVITIES, at=at)
    missing = [name for name, needed in known.values() if needed and name not in heads]
    if missing:
        raise InvalidRequest(f"The first line does not name {', '.join(missing)}.")
    return {name: heads.index(head) if head in heads else None for name, (head, _) in known.items()}


def _activity(cells: Cells) -> Activity:
    skill = (cells["skill"],) if cells["skill"] else ()
    place = _structure(cells)
    return Activity(cells["profession"], skill, cells["mode"], place if place.key else None)


def _structure(cells: Cells) -> Structure:
    way = " ".join(_said(cells, ("way_number", "way_repeat", "way_type", "way")))
    lines = [cells["complement"], way, cells["mention"]]
    insee = cells["insee"] if len(cells["insee"]) == _CODE else ""
    return Structure(
        cells["sign"] or cells["name"] or "—",
        finess=cells["finess"],
        finess_ej=cells["finess_ej"] if numbers.is_finess(cells["finess_ej"]) else "",
        siret=cells["siret"],
        technical=cells["structure"],
        sector=cells["sector"],
        address=Address(
            tuple(line for line in lines if line), cells["postal_code"], cells["city"], insee
        ),
        phone=cells["phone"],
        email=cells["email"],
    )


def _establishment(cells: Cells) -> Structure:
    way = " ".join(_said(cells, ("way_number", "way_type", "way", "way_more")))
    code, _, city = cells["route"].partition(" ")
    return Structure(
        cells["long_name"] or cells["name"],
        finess=cells["finess"],
        finess_ej=cells["finess_ej"],
        siret=cells["siret"] if numbers.is_siret(cells["siret"]) else "",
        category=(cells["category"], cells["category_label"]),
        address=Address(
            tuple(line for line in (way, cells["place"]) if line),
            code if code.isdigit() else "",
            city.strip(),
            _insee(cells["department"], cells["commune"]),
        ),
        phone=cells["phone"],
    )


def _insee(department: str, commune: str) -> str:
    """Return the INSEE code of a commune as FINESS writes it: 9A to 9F are overseas.

    >>> _insee("41", "018"), _insee("9A", "101"), _insee("2A", "004")
    ('41018', '97101', '2A004')
    """
    overseas = department.startswith("9") and department[1:].isalpha()
    code = f"{_OVERSEAS if overseas else department}{commune}"
    return code if len(code) == _CODE else ""


def _said(cells: Cells, names: Iterable[str]) -> list[str]:
    return [cells[name] for name in names if cells[name]]
