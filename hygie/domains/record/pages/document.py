"""The documents of a record: list and download."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header

from hygie.domains.record import service
from hygie.domains.record.pages.reading import in_record

SHOWN = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg", "text/plain": ".txt"}
"""What a browser may show; anything else, such as HTML or SVG, is only ever downloaded."""


def listing(request: HttpRequest, patient: str) -> HttpResponse:
    """List the documents."""
    person, documents = in_record(request, patient, service.with_person(service.documents))
    return render(request, "record/documents.html", {"person": person, "documents": documents})


def download(request: HttpRequest, patient: str, rid: str, index: int) -> HttpResponse:
    """Send one file: to be read in the browser, or kept when ``?save`` is asked.

    What the file holds was written elsewhere: it runs nothing and reaches nothing here.
    """
    file = in_record(request, patient, lambda reader: service.file(reader, rid, index))
    kind = file.content_type.partition(";")[0].strip().lower()
    suffix = SHOWN.get(kind)
    response = HttpResponse(file.data, content_type=kind if suffix else "application/octet-stream")
    if kind == "text/plain":
        response["Content-Type"] = "text/plain; charset=utf-8"
    attached = suffix is None or "save" in request.GET
    name = re.sub(r"[\x00-\x1f/\\:*?\"<>|]+", " ", file.name).strip()[:120] or "document"
    name = name if not suffix or name.lower().endswith(suffix) else name + suffix
    response["Content-Disposition"] = content_disposition_header(attached, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    # Chromium opens no PDF in a sandboxed page; its viewer runs in a process of its own.
    sandbox = "" if kind == "application/pdf" and not attached else "; sandbox"
    response["Content-Security-Policy"] = f"default-src 'none'; frame-ancestors 'none'{sandbox}"
    return response
