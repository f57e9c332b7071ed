"""Security of one's own account, on one page: proofs, sessions, notices, password, language."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from hygie.domains.sign_in.model.telling import Channel, Told
from hygie.domains.sign_in.service import desk, factors, sessions
from hygie.domains.sign_in.service.telling import tell, words
from hygie.kernel.web.stepping_up import confirm_identity, is_confirmed

SHOWN = 20
"""Events of the account that are shown."""
View = Callable[..., HttpResponse]


def confirmed(view: View) -> View:
    """Let a page open only to who proved a moment ago who they are; then it comes back here."""

    @login_required
    @never_cache
    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if is_confirmed(request):
            return view(request, *args, **kwargs)
        if request.method == "POST":  # a form is not sent again by itself
            return redirect(f"{reverse('account_reauthenticate')}?next=/account/security/")
        return confirm_identity(request) or view(request, *args, **kwargs)

    return asked


@never_cache
@login_required
def show(request: HttpRequest) -> HttpResponse:
    """Show everything about the security of one's account."""
    account: Any = request.user
    events = account.events.order_by("-at").select_related("by")[:SHOWN]
    named, limits = channels(), sessions.limits(request)
    told = {
        "held": factors.held_by(account),
        "sessions": [(one, methods(one.methods)) for one in sessions.list_of(request, account)],
        "channels": [(one.value, named[one]) for one in Channel],
        "chosen": account.channel,
        "events": [(one.at, words(one.what), one.by) for one in events],
        "recovery": desk.open_of(account),
        "minutes": round(limits.idle.total_seconds() / 60),
        "hours": f"{limits.absolute.total_seconds() / 3600:g}",
        "languages": settings.LANGUAGES,
        "done": request.GET.get("done", ""),
        "mine": account,
    }
    return render(request, "account/security.html", told)


@never_cache
@login_required
def strengthen(request: HttpRequest) -> HttpResponse:
    """Say that a second proof is wanted before the pages of care, and where to add one."""
    account: Any = request.user
    return render(
        request,
        "account/strengthen.html",
        {"held": factors.held_by(account), "has": account.has_strong_factor()},
    )


@require_POST
@confirmed
def remove(request: HttpRequest, kind: str) -> HttpResponse:
    """Remove a factor."""
    account: Any = request.user
    number = request.POST.get("key", "0")
    if kind == "phone":
        account.phone, account.phone_proved = "", None
        account.save(update_fields=["phone", "phone_proved"])
        tell(account, Told.FACTOR_REMOVED, detail="sms")
    elif kind in factors.SECOND_TYPES:
        factors.remove(account, kind, int(number) if number.isdigit() else 0)
    return redirect("account_security")


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    """End one session, or all but this one: no proof is asked for what makes things safer."""
    account: Any = request.user
    which = request.POST.get("session", "")
    if which.isdigit():
        sessions.end(account, int(which))
    else:
        sessions.end_all(account, but=request.session.session_key or "")
    return redirect("/account/security/?done=ended")


@require_POST
@confirmed
def notices(request: HttpRequest) -> HttpResponse:
    """Choose how one is told of what happens to the account."""
    account: Any = request.user
    wanted = request.POST.get("channel", "")
    if wanted in set(Channel) and wanted != account.channel:
        account.channel = wanted
        account.save(update_fields=["channel"])
        tell(account, Told.CHANNEL_CHANGED, detail=wanted)
    return redirect("/account/security/?done=notices")


@require_POST
@login_required
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the pages and of the notices."""
    account: Any = request.user
    wanted = request.POST.get("language", "")
    if wanted not in dict(settings.LANGUAGES):
        wanted = get_language() or settings.LANGUAGE_CODE
    account.language = wanted
    account.save(update_fields=["language"])
    answer = redirect("/account/security/?done=language")
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
    return answer


@require_POST
@login_required
def stop(request: HttpRequest) -> HttpResponse:
    """Stop a recovery that one did not ask for."""
    account: Any = request.user
    desk.stop(account)
    return redirect("/account/security/?done=stopped")


def methods(kept: tuple[str, ...]) -> str:
    """Return in words what a session proved."""
    known = {
        "password": _("mot de passe"),
        "totp": _("application"),
        "passkey": _("clé d’accès"),
        "recovery-code": _("code de secours"),
        "paper-code": _("code sur papier"),
        "sms-code": _("code par SMS"),
        "activation-sheet": _("feuille d’activation"),
        "franceconnect": "FranceConnect",
        "pro-sante-connect": "Pro Santé Connect",
        "apcv": _("appli carte Vitale"),
        "card": _("carte CPS"),
    }
    return ", ".join(str(known.get(one, one)) for one in kept)


def channels() -> dict[Channel, str]:
    """Return the channels in words."""
    return {
        Channel.EMAIL: _("Par e-mail"),
        Channel.SMS: _("Par SMS"),
        Channel.LETTER: _("Par lettre, imprimée à l’accueil"),
    }
