"""The addresses of the pages that are of no portal."""

from __future__ import annotations

from django.urls import path

from hygie.domains.authorization.pages import authorize, devices, leaving, registration

urlpatterns = [
    path("oauth/authorize", authorize.authorize, name="oauth_authorize"),
    path("oauth/consent", authorize.consent, name="oauth_consent"),
    path("oauth/logout", leaving.ask, name="oauth_logout"),
    path("oauth/logout/leave", leaving.leave, name="oauth_leave"),
    path("oauth/devices", devices.requests, name="oauth_devices"),
    path("developers/", registration.developers, name="developers"),
    path("developers/register/", registration.register, name="developers_register"),
    path("developers/sandbox/reset/", registration.reset, name="developers_reset"),
    path("developers/apps/<str:client>/", registration.follow, name="developers_follow"),
]
