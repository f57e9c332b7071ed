"""The addresses of helping in the patient portal."""

from __future__ import annotations

from django.urls import path

from hygie.domains.helping.pages import accepting, acting, hiding, inviting, people

app_name = "helping"
urlpatterns = [
    path("", people.mine, name="mine"),
    path("accept/", accepting.show, name="accept"),
    path("stop/", acting.stop, name="stop"),
    path("minor/", people.minor, name="minor"),
    path("minor/hide/", hiding.show, name="hiding"),
    path("minor/hide/<str:rt>/<str:rid>/", hiding.change, name="hide"),
    path("minor/<str:key>/", people.limit, name="limit"),
    path("<str:patient>/", people.who, name="who"),
    path("<str:patient>/act/", acting.begin, name="act"),
    path("<str:patient>/leave/", acting.quit_helping, name="leave"),
    path("<str:patient>/invite/", inviting.show, name="invite"),
    path("<str:patient>/invite/<int:number>/withdraw/", inviting.take_back, name="withdraw"),
]
