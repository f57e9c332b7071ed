"""The name of a session of the pages, told to the programs that its person lets in.

It opens nothing: applications read it in ID tokens (``sid``).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.http import HttpRequest

VISIT = "hygie_visit"
"""Where the session keeps it."""


def visit_name(request: HttpRequest) -> uuid.UUID:
    """Return the name of this session, made when it is first needed."""
    kept = known_visit(request)
    if kept is not None:
        return kept
    made = uuid.uuid4()
    request.session[VISIT] = str(made)
    return made


def known_visit(request: HttpRequest) -> uuid.UUID | None:
    """Return the name of this session, None where it has none."""
    kept = request.session.get(VISIT)
    return uuid.UUID(kept) if kept else None
