"""The root of all pages, composed from what the domains and portals registered."""

from __future__ import annotations

from importlib import import_module

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from hygie.kernel.platform import Pages
from hygie.kernel.web import bridge

Routes = list[URLPattern | URLResolver]


def _routes_of(pages: Pages) -> URLResolver:
    module = import_module(pages.urlconf)
    return path(pages.prefix, include((module.urlpatterns, module.app_name)))


def _routes() -> Routes:
    """Mount public pages at the root and the others at ``/<portal>/``.

    A page of a domain is named ``portal:<domain>:<page>``; Django resolves ``portal`` to the
    portal of the current page, and ``patient:<domain>:<page>`` names one portal in particular.
    """
    routes: Routes = [path("language/", set_language, name="set_language")]
    for portal, offered in bridge.platform().pages_by_portal().items():
        if portal == "public":
            routes += [path(pages.prefix, include(pages.urlconf)) for pages in offered]
        else:
            inner = [_routes_of(pages) for pages in offered]
            routes.append(path(f"{portal}/", include((inner, "portal"), namespace=portal)))
    return routes


def __getattr__(name: str) -> Routes:
    """Compose ``urlpatterns`` when Django first asks, once the application is composed."""
    if name != "urlpatterns":
        raise AttributeError(name)
    return _routes()


handler400 = "hygie.kernel.web.middleware.bad_request"
handler403 = "hygie.kernel.web.middleware.forbidden"
handler404 = "hygie.kernel.web.middleware.not_found"
handler429 = "hygie.kernel.web.middleware.too_many"
handler500 = "hygie.kernel.web.middleware.broken"
