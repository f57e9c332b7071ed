"""The annuaire of the patients' portal."""

from __future__ import annotations

from django.urls import path

from hygie.domains.annuaire.pages import finding

app_name = "annuaire"
urlpatterns = [
    path("", finding.find, name="find"),
    path("professional/<str:who>/", finding.professional, name="professional"),
    path("structure/<str:which>/", finding.structure, name="structure"),
]
