"""The pages of a record: one set, in clinical words for professionals and plain ones for patients.

``{% url 'portal:record:…' %}`` leads to the portal of the page it stands on.
"""

from __future__ import annotations

from django.urls import path

from hygie.domains.record.pages import document, item, summary, timeline

app_name = "record"
urlpatterns = [
    path("", summary.mine, name="mine"),
    path("<str:patient>/", summary.show, name="summary"),
    path("<str:patient>/timeline/", timeline.show, name="timeline"),
    path("<str:patient>/documents/", document.listing, name="documents"),
    path("<str:patient>/documents/<str:rid>/<int:index>/", document.download, name="file"),
    path("<str:patient>/<str:rt>/<str:rid>/", item.show, name="item"),
    path("<str:patient>/<str:rt>/<str:rid>/source/", item.source, name="source"),
]
