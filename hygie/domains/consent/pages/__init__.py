"""The pages of choices in the patient portal: who can see, who saw, what one decides.

A page of another domain links here by name, such as ``portal:consent:who_item``.
"""

from __future__ import annotations

from django.urls import path

from hygie.domains.consent.pages import (
    accesses,
    adding,
    choices,
    delegates,
    first,
    mask,
    who,
)

app_name = "consent"
urlpatterns = [
    path("", who.mine, name="mine"),
    path("help-somebody/", delegates.code, name="code"),
    path("<str:patient>/who/", who.show, name="who"),
    path("<str:patient>/who/<str:rt>/<str:rid>/", who.show_item, name="who_item"),
    path("<str:patient>/accesses/", accesses.show, name="accesses"),
    path("<str:patient>/accesses/download/", accesses.download, name="download"),
    path("<str:patient>/accesses/<str:rt>/<str:rid>/", accesses.show_item, name="accesses_item"),
    path("<str:patient>/mask/<str:rt>/<str:rid>/", mask.mask, name="mask"),
    path("<str:patient>/choices/", choices.show, name="choices"),
    path("<str:patient>/choices/first/", first.show, name="first"),
    path("<str:patient>/choices/helper/", delegates.name, name="helper"),
    path("<str:patient>/choices/add/<str:purpose>/", adding.find, name="find"),
    path("<str:patient>/choices/add/<str:purpose>/<str:who>/", adding.add, name="add"),
    path("<str:patient>/choices/<str:name>/", choices.act, name="act"),
    path("<str:patient>/choices/<str:name>/<path:key>/", choices.act, name="act"),
]
