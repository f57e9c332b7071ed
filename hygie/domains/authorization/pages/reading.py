"""What the pages share: the language, and who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language

from hygie.domains.authorization.model.sentences import Language

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def language() -> Language:
    """Return the language of the page."""
    return "fr" if get_language() == "fr" else "en"


def account(request: HttpRequest) -> Any:
    """Return the account of a page that only a signed-in person sees."""
    return request.user


def sign_in_first(request: HttpRequest) -> HttpResponse | None:
    """Return the way to the sign-in page, None for who is signed in."""
    if request.user.is_authenticated:
        return None
    back = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('account_login')}?{back}")
