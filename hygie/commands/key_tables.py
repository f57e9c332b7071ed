"""The rows of patients' wrapped keys, out to an archive of keys and back."""

from __future__ import annotations

from pathlib import Path

from psycopg import sql

from hygie.kernel.database.roles import KEYS, OWNER
from hygie.kernel.database.session import connect

COLUMNS = {
    "patient_key": ("patient", "version", "id", "kek", "wrapped", "made", "destroyed"),
    "kek": ("version", "superseded", "destroyed"),
}
_PIECE = 1024 * 1024


def save(dsn: str, folder: Path) -> None:
    """Write one file per table (``COPY``, text format)."""
    folder.mkdir(mode=0o700)
    with connect(dsn, role=KEYS) as session, session.cursor() as cursor:
        for name in COLUMNS:
            statement = sql.SQL("COPY {} TO STDOUT").format(_table(name))
            with (folder / name).open("xb") as stream, cursor.copy(statement) as rows:
                for row in rows:
                    stream.write(row)


def load(dsn: str, folder: Path) -> None:
    """Put the rows of an archive in the place of those of a restored database."""
    with connect(dsn, role=OWNER, autocommit=False) as session, session.cursor() as cursor:
        for name in COLUMNS:
            cursor.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier("hygie_keys", name)))
            statement = sql.SQL("COPY {} FROM STDIN").format(_table(name))
            with (folder / name).open("rb") as stream, cursor.copy(statement) as rows:
                while piece := stream.read(_PIECE):
                    rows.write(piece)


def _table(name: str) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS[name]))
    return sql.SQL("{} ({})").format(sql.Identifier("hygie_keys", name), columns)
