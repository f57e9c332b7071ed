"""What the endpoints share: JSON refusals, limits, and answers that browsers may read."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import OAuth2Error
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from hygie.domains.authorization.service.limiting import is_too_fast
from hygie.domains.authorization.service.registering import calls_from
from hygie.kernel.errors import HygieError, InvalidRequest, Unavailable

if TYPE_CHECKING:
    from django.http import HttpRequest

log = logging.getLogger(__name__)
Answer = Callable[..., HttpResponse]
_TOO_MANY, _BUSY = 429, 503


def endpoint(
    *methods: str, most: int = 120, anybody: bool = False
) -> Callable[[Callable[..., HttpResponse]], Answer]:
    """Make a view an endpoint of machines.

    ``most`` are the calls in a minute from one address; ``anybody`` lets every page read the
    answer, else only those of approved applications.
    """

    def wrap(view: Callable[..., HttpResponse]) -> Answer:
        @csrf_exempt
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            origin = request.headers.get("origin", "")
            shared = bool(origin) and (anybody or calls_from(origin))
            response = _respond(request, view, methods=methods, most=most, shared=shared)
            response.setdefault("Cache-Control", "no-store")
            if shared:
                response["Access-Control-Allow-Origin"] = "*" if anybody else origin
                response["Vary"] = "Origin"
            return response

        return answer

    return wrap


def _respond(
    request: HttpRequest,
    view: Callable[..., HttpResponse],
    *,
    methods: tuple[str, ...],
    most: int,
    shared: bool,
) -> HttpResponse:
    if request.method == "OPTIONS" and shared:
        response = HttpResponse(status=204)
        response["Access-Control-Allow-Methods"] = ", ".join(methods)
        response["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
        response["Access-Control-Max-Age"] = "600"
        return response
    if request.method not in methods:
        return refused("invalid_request", f"Use {' or '.join(methods)}.", 405)
    who = hashlib.sha256(str(request.META.get("REMOTE_ADDR")).encode()).hexdigest()[:16]
    if is_too_fast(f"{view.__name__}:{who}", most=most):
        response = refused("temporarily_unavailable", "Too many requests.", _TOO_MANY)
        response["Retry-After"] = "60"
        return response
    return _answered(request, view)


def _answered(request: HttpRequest, view: Callable[..., HttpResponse]) -> HttpResponse:
    try:
        return view(request)
    except OAuth2Error as wrong:
        body = dict(wrong.get_body())
        response = JsonResponse(body, status=wrong.status_code)
        for name, value in wrong.get_headers():
            response[name] = value
        return response
    except Unavailable as busy:
        return refused("temporarily_unavailable", str(busy), _BUSY)
    except InvalidRequest as wrong:
        return refused("invalid_request", str(wrong), wrong.status)
    except HygieError as wrong:
        return refused("access_denied", str(wrong), wrong.status)


def refused(error: str, sentence: str, status: int, **headers: Any) -> HttpResponse:
    """Return a refusal as RFC 6749 writes it (section 5.2)."""
    told = {"error": error, "error_description": sentence}
    return JsonResponse(told, status=status, headers=headers or None)
