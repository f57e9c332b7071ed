"""Read the decision tables of an act, and answer from them.

An act (``read``, ``write``) is a folder of five CSV tables with the same first column, the
*standing*: in what quality somebody asks. They are combined in one way only:

- ``standings``: who has the standing: what sort of reader, and the facts that must all hold. A
  reader may have several; each is looked at (all match).
- ``states``, ``labels``, ``matters``, ``purposes``: what the standing is worth now. Every table
  must let through: one refusal is enough for the standing to be worth nothing.

Somebody is permitted if one of their standings passes all four tables. No line: no access.

The act ``relabel`` has a table more, ``moves``: which labels a standing adds, lifts, or both. There
is an oracle for each label and way.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from hygie.testing.proof.facts import BIT, PURPOSES, bits

Row = dict[str, str]
ALWAYS = frozenset({"", "reads", "writes"})


@dataclass(frozen=True, slots=True)
class Cube:
    """Facts that must hold and facts that must not."""

    standing: str
    needs: int
    bars: int

    def holds(self, case: int) -> bool:
        """Tell whether a case is of this cube."""
        return case & (self.needs | self.bars) == self.needs


@dataclass(frozen=True, slots=True)
class Oracle:
    """The answers of the tables of one act."""

    cubes: tuple[Cube, ...]

    def permits(self, case: int) -> bool:
        """Tell whether the tables permit."""
        return any(one.holds(case) for one in self.cubes)

    def standing(self, case: int) -> str | None:
        """Return the first standing that permits, None where none does."""
        return next((one.standing for one in self.cubes if one.holds(case)), None)

    def column(self, columns: Mapping[str, int], ones: int) -> int:
        """Answer many cases at once: bit ``n`` of each column is of case ``n``.

        ``ones`` has every bit set. Facts that ``columns`` does not name hold in no case.
        """
        answer = 0
        for cube in self.cubes:
            held = ones
            for name, bit in BIT.items():
                if cube.needs & bit:
                    held &= columns.get(name, 0)
                elif cube.bars & bit:
                    held &= ~columns.get(name, 0)
            answer |= held
        return answer & ones


def load(folder: Path) -> Oracle:
    """Return the oracle of the tables in a folder.

    Raises:
        ValueError: a cell is not of its table, or the tables do not have the same standings.
        KeyError: a fact is unknown.
    """
    tables = {
        name: _rows(folder / f"{name}.csv")
        for name in ("standings", "states", "labels", "matters", "purposes")
    }
    standings = list(tables["standings"])
    for name, rows in tables.items():
        if list(rows) != standings:
            raise ValueError(f"{folder.name}/{name}.csv has other standings: {rows.keys()}")
    return Oracle(tuple(cube for one in standings for cube in _cubes(one, tables)))


def load_moves(folder: Path) -> dict[tuple[str, str], Oracle]:
    """Return the oracle of each move: a label, and ``adds`` or ``lifts``.

    Raises:
        ValueError: as ``load``, or a cell of the moves is none.
    """
    whole, rows = load(folder), _rows(folder / "moves.csv")
    cells = {"": (), "adds": ("adds",), "lifts": ("lifts",), "both": ("adds", "lifts")}
    if list(rows) != list(dict.fromkeys(one.standing for one in whole.cubes)):
        raise ValueError("moves.csv has other standings")
    found: dict[tuple[str, str], list[Cube]] = {}
    for standing, row in rows.items():
        for label, cell in row.items():
            if cell not in cells:
                raise ValueError(f"{cell} is no cell of the moves")
            for way in ("adds", "lifts"):
                cubes = found.setdefault((label, way), [])
                cubes += [one for one in whole.cubes if one.standing == standing] * (
                    way in cells[cell]
                )
    return {move: Oracle(tuple(cubes)) for move, cubes in found.items()}


def _rows(path: Path) -> dict[str, Row]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row.pop("standing"): row for row in rows}
    if len(found) != len(rows):
        raise ValueError(f"{path.name} names a standing twice")
    return found


def _cubes(standing: str, tables: Mapping[str, Mapping[str, Row]]) -> Iterator[Cube]:
    rows = {name: table[standing] for name, table in tables.items()}
    state_bars = _only(rows["states"], {"shut": True, "": False})
    ways = product(
        [(_who(rows["standings"]), state_bars)],
        _label_ways(rows["labels"]),
        [_matter(rows["matters"])],
        _purpose_ways(rows["purposes"]),
    )
    for way in ways:
        needs = bars = 0
        for need, bar in way:
            needs, bars = needs | need, bars | bar
        if not needs & bars:
            yield Cube(standing, needs, bars)


def _who(row: Row) -> int:
    facts = _named(row["holds"])
    reader = [] if row["reader"] == "any" else [f"reader {row['reader']}"]
    return bits(*facts, *reader)


def _only(row: Row, meaning: Mapping[str, bool]) -> int:
    unknown = set(row.values()) - meaning.keys()
    if unknown:
        raise ValueError(f"{unknown} are no cells of this table: {sorted(meaning)}")
    return bits(*(name for name, cell in row.items() if meaning[cell]))


def _label_ways(row: Row) -> list[tuple[int, int]]:
    """Return the two ways a label lets through: without it, or for its author."""
    if unknown := set(row.values()) - ALWAYS - {"hidden", "author"}:
        raise ValueError(f"{unknown} are no cells of the labels")
    hidden = bits(*(name for name, cell in row.items() if cell == "hidden"))
    for_author = bits(*(name for name, cell in row.items() if cell == "author"))
    if not for_author:
        return [(0, hidden)]
    return [(0, hidden | for_author), (BIT["author"], hidden)]


def _matter(row: Row) -> tuple[int, int]:
    only, never = (_named(row[column]) for column in ("only", "never"))
    return bits(*only), bits(*never)


def _named(cell: str) -> list[str]:
    return [one.strip() for one in cell.split("+") if one.strip()]


def _purpose_ways(row: Row) -> list[tuple[int, int]]:
    if list(row) != list(PURPOSES) or set(row.values()) - {"yes", "no"}:
        raise ValueError("the purposes are answered by yes or no, in order")
    chosen = [name for name, cell in row.items() if cell == "yes"]
    if len(chosen) == len(PURPOSES):
        return [(0, 0)]
    return [(BIT[f"purpose {name}"], 0) for name in chosen]
