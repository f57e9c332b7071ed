"""Sign in, sign out, change the password: allauth's views on our addresses, in our words."""

from __future__ import annotations

from typing import Any

from allauth.account import views
from allauth.account.forms import LoginForm
from django.urls import path
from django.utils.translation import gettext_lazy as _


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    """Login and password; pasting and password managers are welcome."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label = _("Identifiant ou adresse e-mail")
        login.widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        password.label = _("Mot de passe")
        password.help_text = ""
        password.widget.attrs = {"autocomplete": "current-password"}
        wanted = self.request.GET.get("login", "") if self.request else ""
        login.initial = wanted[:150]


urlpatterns = [
    path("sign-in/", views.login, name="account_login"),
    path("sign-out/", views.logout, name="account_logout"),
    path("account/inactive/", views.account_inactive, name="account_inactive"),
    path("account/password/", views.password_change, name="account_change_password"),
    path("account/confirm/", views.reauthenticate, name="account_reauthenticate"),
]
