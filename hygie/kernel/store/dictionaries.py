"""Compression dictionaries: shipped ones are put into the database once, then read from there."""

from __future__ import annotations

import io
import re
import tarfile
from importlib.resources import files
from typing import TYPE_CHECKING

from hygie.kernel.fhir.names import type_number

if TYPE_CHECKING:
    from hygie.kernel.database.connection import Connection

_NAME = re.compile(r"(?P<rt>[A-Za-z]+)-(?P<id>\d+)\.dict")

_INSERT = """
INSERT INTO body_dictionary (id, rt, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""

Dictionaries = dict[int, tuple[int, bytes]]
"""Dictionary id to (type number, bytes)."""


def shipped() -> Dictionaries:
    """Return the dictionaries of the package, trained on synthetic people."""
    path = files(__package__).joinpath("definitions/dictionaries.tar.xz")
    if not path.is_file():
        return {}
    found: Dictionaries = {}
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes()), mode="r:xz") as archive:
        for member in archive.getmembers():
            match, content = _NAME.fullmatch(member.name), archive.extractfile(member)
            if match and content:
                found[int(match["id"])] = (type_number(match["rt"]), content.read())
    return found


async def load_dictionaries(connection: Connection) -> Dictionaries:
    """Return every dictionary of the database, the shipped ones added where they are missing."""
    for number, (rt, content) in sorted(shipped().items()):
        await connection.execute(_INSERT, number, rt, content)
    rows = await connection.fetch("SELECT id, rt, bytes FROM body_dictionary")
    return {row["id"]: (row["rt"], row["bytes"]) for row in rows}
