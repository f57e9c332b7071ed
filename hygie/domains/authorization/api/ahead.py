"""Requests that an application sends ahead: pushed ones (RFC 9126) and CIBA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.http import JsonResponse

from hygie.domains.authorization.api.endpoint import endpoint
from hygie.domains.authorization.service.asking import posted
from hygie.domains.authorization.service.devices import ask_person
from hygie.domains.authorization.service.grants import PROOFS
from hygie.domains.authorization.service.requesting import push
from hygie.domains.authorization.service.server import server

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@endpoint("POST")
def par(request: HttpRequest) -> HttpResponse:
    """Keep a pushed request."""
    asked = posted(request)
    with transaction.atomic():
        app = server().authenticate_client(asked, PROOFS, "par")
    return JsonResponse(push(app, asked.form), status=201)


@endpoint("POST")
def bc_authorize(request: HttpRequest) -> HttpResponse:
    """Ask a person on another device."""
    asked = posted(request)
    with transaction.atomic():
        app = server().authenticate_client(asked, PROOFS[:2], "ciba")
    return JsonResponse(ask_person(app, asked))
