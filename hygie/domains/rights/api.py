"""``Patient/[id]/$personal-copy``: the complete copy of a person over FHIR.

The same right as the page, the same preparation and the same archive; the files of the archive are
sent one by one. Below the address of the operation stand the status of each copy and its files.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import cast, get_args
from urllib.parse import quote

from hygie.domains.rights.service import exports, prepared
from hygie.domains.rights.service.archive import Entry
from hygie.domains.rights.service.archive import Manifest as Contents
from hygie.domains.rights.service.copying import ACCESSES, SUFFIXES
from hygie.domains.rights.service.exports import TRACED, Export, State
from hygie.domains.rights.service.prepared import GONE, Prepared, Wanted
from hygie.domains.rights.service.words import Language
from hygie.kernel.api.asynchronous import (
    NDJSON,
    Manifest,
    Output,
    accepted,
    check_responds_async,
    finished,
    in_progress,
    removed,
)
from hygie.kernel.api.engine import Engine
from hygie.kernel.api.http import HttpRequest, Response
from hygie.kernel.api.negotiation import check_accepts_json, check_sends_json
from hygie.kernel.errors import HygieError, InvalidRequest, NotFound
from hygie.kernel.fhir.validate import parse
from hygie.kernel.store.tracing import Request

NAME = "$personal-copy"
ARCHIVE = "archive.zip"
"""The whole archive, beside the files in it; none of them has this name."""
FILES = "https://hygie.example.org/fhir/StructureDefinition/personal-copy-files"
"""Key of the manifest's extension: the files that hold no current resources."""
WAIT = 5
"""Seconds to wait between two looks at a copy that is being prepared."""
_KINDS = {suffix: kind for kind, suffix in SUFFIXES.items()} | {
    ".zip": "application/zip",
    ".ndjson": "application/x-ndjson",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}


async def ask_for_copy(engine: Engine, request: HttpRequest) -> Response:
    """Ask for the complete copy of a person; send ``Prefer: respond-async``."""
    check_accepts_json(request)
    check_sends_json(request)
    access = request.access
    check_responds_async(request)
    patient = request.segments[1]
    language = language_of(request.body)
    made = await exports.ask(
        engine.repository, access, patient, language=language, request=_traced(request)
    )
    return accepted(f"{_address(engine, patient)}/{made}")


async def answer_below(engine: Engine, request: HttpRequest) -> Response:
    """Tell where a copy stands, send one of its files, or destroy it."""
    access = request.access
    _, patient, _, name, *path = request.segments
    wanted = Wanted(_job(name), patient)
    if request.method == "DELETE":
        if path:
            raise InvalidRequest("A copy is destroyed whole: delete the address of its status.")
        await prepared.give_up(
            engine.repository, access, wanted, data=engine.data, request=_traced(request)
        )
        return removed("The copy is destroyed.")
    at = datetime.now(UTC)
    found = await prepared.look(
        engine.repository, access, wanted, data=engine.data, at=at, request=_traced(request)
    )
    if not path:
        check_accepts_json(request)
        return await _status(engine, found)
    sent = await asyncio.to_thread(_file, found, "/".join(path))
    await prepared.fetched(engine.repository, wanted.export, at=at)
    return sent


def language_of(raw: bytes) -> Language:
    """Return the language that Parameters ask for, French where they ask for none.

    Raises:
        InvalidRequest: another parameter, or another language.
    """
    given = list(parse(raw, expect="Parameters").resource.parameter or ()) if raw else []
    if not given:
        return "fr"
    if len(given) > 1 or given[0].name != "language" or given[0].valueCode not in _LANGUAGES:
        raise InvalidRequest(
            "$personal-copy takes language, once, as a valueCode: fr or en.",
            expression="Parameters.parameter",
        )
    return cast("Language", given[0].valueCode)


_LANGUAGES = get_args(Language)


def _job(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound(GONE) from None


def _traced(request: HttpRequest) -> Request:
    return replace(request.traced("operation"), query=TRACED)


def _address(engine: Engine, patient: str) -> str:
    return f"{engine.base}/Patient/{patient}/{NAME}"


async def _status(engine: Engine, found: Prepared) -> Response:
    export = found.export
    if export.state == State.ASKED:
        return in_progress("being prepared", retry=WAIT)
    if export.state != State.READY or export.expires is None:
        raise HygieError("This copy could not be prepared. Ask for a new one.")
    contents = await asyncio.to_thread(found.manifest)
    return finished(_manifest(engine, export, contents), expires=export.expires)


def _manifest(engine: Engine, export: Export, contents: Contents) -> Manifest:
    asked = _address(engine, export.patient)
    below = f"{asked}/{export.id}"
    resources = {name: one for name, one in contents.files.items() if _holds_current(name)}
    others = {name: one for name, one in contents.files.items() if name not in resources}
    return Manifest(
        contents.made,
        asked,
        [Output(_type(name), _url(below, name), one.count) for name, one in resources.items()],
        {
            FILES: {
                "archive": {"url": _url(below, ARCHIVE), "size": export.size},
                "complete": contents.complete,
                "files": [_other(below, name, one) for name, one in others.items()],
            }
        },
    )


def _holds_current(name: str) -> bool:
    """Tell whether a file holds resources as they were at the instant of the copy.

    >>> _holds_current("fhir/Patient.ndjson"), _holds_current("history/Patient.ndjson")
    (True, False)
    """
    return name.startswith(("fhir/", "directory/")) or name == f"traces/{ACCESSES}"


def _type(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".ndjson")


def _url(below: str, name: str) -> str:
    return f"{below}/{quote(name)}"


def _other(below: str, name: str, entry: Entry) -> dict[str, object]:
    return {
        "name": name,
        "url": _url(below, name),
        "contentType": _kind(name),
        "size": entry.size,
        "sha256": entry.sha256,
    }


def _kind(name: str) -> str:
    """Return the media type of a file of the archive.

    >>> _kind("fhir/Patient.ndjson"), _kind("documents/0001-Bilan.pdf")
    ('application/fhir+ndjson', 'application/pdf')
    """
    if _holds_current(name) or (name.startswith("history/") and name.endswith(".ndjson")):
        return NDJSON
    return _KINDS.get(f".{name.rpartition('.')[2]}", "application/octet-stream")


def _file(found: Prepared, name: str) -> Response:
    """Return one file; a browser keeps it and never shows it in the name of this server."""
    pieces: Iterator[bytes] = found.pieces() if name == ARCHIVE else found.file(name)
    last = quote(name.rpartition("/")[2])
    headers = (("content-disposition", f"attachment; filename*=UTF-8''{last}"),)
    # The first piece is opened before the answer begins: a damaged file is refused, not cut.
    begun = chain((next(pieces, b""),), pieces)
    return Response(200, b"", headers, _kind(name), begun)
