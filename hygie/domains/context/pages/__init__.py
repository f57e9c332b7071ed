"""The pages of professionals that say what is shared with their other tools, and stop it."""

from __future__ import annotations

from django.urls import path

from hygie.domains.context.pages import following

app_name = "context"
urlpatterns = [
    path("", following.show, name="show"),
    path("pause/", following.pause, name="pause"),
    path("resume/", following.resume, name="resume"),
    path("stay/", following.stay, name="stay"),
    path("close/", following.close, name="close"),
    path("bar/", following.bar, name="bar"),
    path("listen/", following.listen, name="listen"),
]
