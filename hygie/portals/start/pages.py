"""The pages everybody may read, and the door that sends each account to its portal."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language
from django.views.generic import TemplateView

from hygie.kernel.platform import DemoAccount
from hygie.kernel.web.bridge import platform
from hygie.kernel.web.caller import account_of


def start(request: HttpRequest) -> HttpResponse:
    """Say what Hygie is; in demonstration mode, show the accounts to try."""
    demo = platform().demo
    accounts = [_card(account) for account in demo.accounts()] if demo else []
    context = {"accounts": accounts, "password": demo.password() if demo else ""}
    return render(request, "start/start.html", context)


def _card(account: DemoAccount) -> dict[str, str]:
    story = account.story_fr if get_language() == "fr" else account.story_en
    return {"login": account.login, "name": account.name, "kind": account.kind, "story": story}


def home(request: HttpRequest) -> HttpResponse:
    """Send the account to its portal."""
    account = account_of(request)
    if account is None:
        return redirect("start")
    if account.portal() in platform().pages_by_portal():
        return redirect(f"/{account.portal()}/")
    return render(request, "start/no_portal.html")


urlpatterns = [
    path("", start, name="start"),
    path("home/", home, name="home"),
    path("help/", TemplateView.as_view(template_name="start/help.html"), name="help"),
    path("about/", TemplateView.as_view(template_name="start/about.html"), name="about"),
    path(
        "accessibility/",
        TemplateView.as_view(template_name="start/accessibility.html"),
        name="accessibility",
    ),
]
