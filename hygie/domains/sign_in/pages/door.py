"""Sign in: the password, the second proof, the passkey; sign out; a shared computer."""

from __future__ import annotations

import json
from typing import Any

from allauth.account import views
from allauth.account.internal.decorators import login_stage_required
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.internal import flows
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hygie.domains.sign_in.service import codes
from hygie.domains.sign_in.service.factors import held_by
from hygie.domains.sign_in.service.limiting import take
from hygie.domains.sign_in.service.sending import demonstration_messages
from hygie.kernel.errors import HygieError, NotFound
from hygie.kernel.web.bridge import platform
from hygie.kernel.web.stepping_up import SHARED, is_shared


class Code(AuthenticateView):  # type: ignore[misc]  # allauth has no types
    """Ask the second proof: a code always, a passkey where there is one."""

    template_name = "account/code.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say which proofs this account has."""
        told: dict[str, Any] = super().get_context_data(**kwargs)
        told["held"] = held_by(self.stage.login.user)
        told["sent"] = self.request.GET.get("sent", "")
        if told["held"].keys:
            told["options"] = json.dumps(told["js_data"]["request_options"])
        return told


class Passkey(LoginWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Sign in with a passkey, which names its account by itself."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Enter, and go where one wanted."""
        found = form.cleaned_data["credential"]
        back = get_next_redirect_url(self.request)
        answer: HttpResponse = flows.perform_passwordless_login(
            self.request, found, Login(user=found.user, redirect_url=back)
        )
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        """Return to the door, which says that it failed."""
        del form
        return redirect("/sign-in/?passkey=failed")


class SignIn(views.LoginView):  # type: ignore[misc]  # allauth has no types
    """The door: a login and a password, a passkey, and what other domains offer."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add how the session is, and why it ended."""
        told: dict[str, Any] = super().get_context_data(**kwargs)
        form = told["form"]
        told["slowed"] = form.is_bound and form.is_slowed()
        told["ended"] = self.request.GET.get("ended", "")
        told["failed"] = self.request.GET.get("passkey", "") == "failed"
        told["next"] = get_next_redirect_url(self.request) or ""
        return told


@require_POST
def shared(request: HttpRequest) -> HttpResponse:
    """Say that this computer is shared, or not, before one signs in."""
    if not request.user.is_authenticated:
        request.session[SHARED] = not is_shared(request)
    return redirect("account_login")


@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Send a code to the telephone of who gave the password just now."""
    stage: Any = request._login_stage  # type: ignore[attr-defined]  # noqa: SLF001 - set by allauth
    account = stage.login.user
    return redirect(f"/sign-in/code/?sent={send_to(request, account)}")


def send_to(request: HttpRequest, account: Any) -> str:
    """Send a code to a proven telephone; return ``yes`` or ``no``."""
    if not account.phone_proved or take(request, "sms", "account", key=str(account.pk)) is None:
        return "no"
    try:
        codes.send_by_sms(account)
    except HygieError:
        return "no"
    return "yes"


send_code = login_stage_required(stage="mfa_authenticate", redirect_urlname="account_login")(send)


def telephone(request: HttpRequest) -> HttpResponse:
    """Show what was sent, as a telephone would: in the demonstration only."""
    settings = platform().settings
    if settings.demo is None:
        raise NotFound("There is no such page.")
    return render(request, "account/telephone.html", {"messages": demonstration_messages(settings)})
