"""The decision tables are read as they are written, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hygie.testing.proof.facts import bits
from hygie.testing.proof.tables import Oracle, load

TABLES = Path(__file__).parent / "tables"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TABLES / "read", tmp_path / "read"))


def change(folder: Path, table: str, old: str, new: str) -> None:
    path = folder / f"{table}.csv"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("labels", "guardian,reads", "guardian,perhaps"),
        ("states", "guardian,,,shut", "guardian,,,closed"),
        ("purposes", "guardian,yes", "guardian,always"),
        ("labels", "guardian,reads,reads,hidden,hidden,hidden\n", ""),
    ],
)
def test_a_cell_or_line_that_is_not_of_its_table_is_refused(
    folder: Path, table: str, old: str, new: str
) -> None:
    change(folder, table, old, new)
    with pytest.raises(ValueError, match=r"cells|answered|standings"):
        load(folder)


def test_an_unknown_fact_is_refused(folder: Path) -> None:
    change(folder, "standings", "parent + minor", "parent + small")
    with pytest.raises(KeyError, match="small"):
        load(folder)


def test_somebody_is_permitted_by_one_of_their_standings(tables: dict[str, Oracle]) -> None:
    """All standings are looked at: a block shuts the team's door and not the person's own."""
    care = bits("reader professional", "purpose TREAT", "in_matrix", "care_team", "team_consent")
    assert tables["read"].standing(care) == "care team"
    assert tables["read"].standing(care | bits("blocked")) is None
    both = care | bits("masked", "treating")
    assert tables["read"].standing(both) == "treating doctor"


def test_an_author_passes_a_mask(tables: dict[str, Oracle]) -> None:
    masked = bits(
        "reader professional", "purpose TREAT", "in_matrix", "care_team", "team_consent", "masked"
    )
    assert not tables["read"].permits(masked)
    assert tables["read"].permits(masked | bits("author"))
