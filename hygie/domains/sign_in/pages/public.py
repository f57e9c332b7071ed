"""Addresses of accounts: the door and one's own security."""

from __future__ import annotations

from allauth.account import views
from django.urls import path
from django.views.generic import RedirectView

from hygie.domains.sign_in.pages import adding, confirm, door, entering, security

urlpatterns = [
    path("sign-in/", door.SignIn.as_view(), name="account_login"),
    path("sign-in/code/", door.Code.as_view(), name="mfa_authenticate"),
    path("sign-in/code/send/", door.send_code, name="account_send_code"),
    path("sign-in/passkey/", door.Passkey.as_view(), name="mfa_login_webauthn"),
    path("sign-in/shared/", door.shared, name="account_shared"),
    path("sign-in/activate/", entering.activate, name="account_activate"),
    path("sign-in/recover/", entering.recover, name="account_recover"),
    path("sign-in/telephone/", door.telephone, name="account_telephone"),
    path("sign-out/", views.logout, name="account_logout"),
    path("account/inactive/", views.account_inactive, name="account_inactive"),
    path("account/password/", views.password_change, name="account_change_password"),
    path("account/password/set/", entering.set_password, name="account_set_password"),
    path("account/confirm/", confirm.confirm, name="account_reauthenticate"),
    path("account/confirm/send/", confirm.send, name="account_confirm_send"),
    path("account/lock/", confirm.lock, name="account_lock"),
    path("account/locked/", confirm.locked, name="account_locked"),
    path("account/idle/", confirm.idle, name="account_idle"),
    path("account/security/", security.show, name="account_security"),
    path("account/factors/", RedirectView.as_view(url="/account/security/"), name="mfa_index"),
    path("account/security/needed/", security.strengthen, name="account_strengthen"),
    path("account/security/application/", adding.application, name="account_application"),
    path("account/security/passkey/", adding.passkey, name="account_passkey"),
    path("account/security/recovery-codes/", adding.recovery, name="account_recovery_codes"),
    path("account/security/paper-codes/", adding.paper, name="account_paper_codes"),
    path("account/security/phone/", adding.phone, name="account_phone"),
    path("account/security/phone/code/", adding.phone_code, name="account_phone_code"),
    path("account/security/remove/<str:kind>/", security.remove, name="account_remove"),
    path("account/security/sessions/", security.end, name="account_end"),
    path("account/security/notices/", security.notices, name="account_notices"),
    path("account/security/language/", security.language, name="account_language"),
    path("account/security/stop/", security.stop, name="account_stop"),
]
