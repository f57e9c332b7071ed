"""Django's settings, derived from Hygie's own: nobody edits a Django settings module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from hygie.kernel.config import LOOPBACK
from hygie.kernel.database import roles
from hygie.kernel.database.session import startup_options
from hygie.kernel.security.secret import secret_key

if TYPE_CHECKING:
    from hygie.kernel.config import Settings
    from hygie.kernel.platform import Platform

SCHEMA = "portal"
"""The PostgreSQL schema of Django's tables, owned by the role ``hygie_portal``."""
SESSION_SECONDS = 12 * 3600
"""The longest session of any kind; sign_in ends the others sooner."""
MOST_CONNECTIONS = 8
"""At least the threads that serve pages (``portal.THREADS``)."""


def django_settings(settings: Settings, platform: Platform, *, dsn: str) -> dict[str, Any]:
    """Return the settings for ``django.conf.settings.configure``.

    ``dsn`` is the libpq connection string of the database; its user may take ``hygie_portal``.
    """
    return {
        "DEBUG": False,
        "SECRET_KEY": secret_key(settings),
        "ROOT_URLCONF": "hygie.kernel.web.urls",
        "WSGI_APPLICATION": None,
        "INSTALLED_APPS": [
            "hygie.kernel.web.apps.WebConfig",
            *platform.django_apps,
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.staticfiles",
            "allauth",
            "allauth.account",
            "allauth.mfa",
            "allauth.usersessions",
        ],
        "MIDDLEWARE": [*MIDDLEWARE, *platform.middleware],
        "TEMPLATES": [TEMPLATES],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        **_network(settings),
        **_database(dsn),
        **_languages(settings),
        **_static(settings),
        **_csp(),
        **platform.django_settings,
    }


MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hygie.kernel.web.middleware.refusals",
    "hygie.kernel.web.keeping.one_record",
    "hygie.kernel.web.middleware.portals",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.template.context_processors.i18n",
            "hygie.kernel.web.frame.frame",
        ],
        "builtins": ["hygie.kernel.web.templatetags.hygie", "django.templatetags.i18n"],
    },
}


def _network(settings: Settings) -> dict[str, Any]:
    secure = settings.base_url.startswith("https://")
    public = urlsplit(settings.base_url).hostname or settings.host
    hosts = {public, settings.host, *LOOPBACK, "[::1]"}
    # Without a declared public name, a demonstration answers on whatever address it is reached by.
    anywhere = settings.demo is not None and not settings.url
    return {
        "ALLOWED_HOSTS": ["*"] if anywhere else sorted(hosts),
        "CSRF_TRUSTED_ORIGINS": [settings.base_url] if settings.url else [],
        "CSRF_FAILURE_VIEW": "hygie.kernel.web.middleware.forged",
        "CSRF_COOKIE_AGE": None,  # as long as the browser is open: nothing stays on a shared one
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "LANGUAGE_COOKIE_SECURE": secure,
        "LANGUAGE_COOKIE_SAMESITE": "Lax",
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 31_536_000 if secure else 0,
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CROSS_ORIGIN_OPENER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "DATA_UPLOAD_MAX_MEMORY_SIZE": 2_621_440,
    }


def _database(dsn: str) -> dict[str, Any]:
    parts = {name: value for name, value in conninfo_to_dict(dsn).items() if value is not None}
    parts["options"] = startup_options(roles.PORTAL, search_path=SCHEMA)
    return {
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": parts.pop("dbname", ""),
                "USER": parts.pop("user", ""),
                "PASSWORD": parts.pop("password", ""),
                "HOST": parts.pop("host", ""),
                "PORT": parts.pop("port", ""),
                # One pool for all threads; Django refuses persistent connections beside it.
                "CONN_MAX_AGE": 0,
                "CONN_HEALTH_CHECKS": True,
                "OPTIONS": {**parts, "pool": {"min_size": 1, "max_size": MOST_CONNECTIONS}},
            }
        },
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "cache",
                "OPTIONS": {"MAX_ENTRIES": 50_000},
            }
        },
        "SESSION_ENGINE": "django.contrib.sessions.backends.db",
        "SESSION_COOKIE_AGE": SESSION_SECONDS,
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    }


def _languages(settings: Settings) -> dict[str, Any]:
    return {
        "LANGUAGE_CODE": "fr",
        "LANGUAGES": [("fr", "Français"), ("en", "English")],
        "LANGUAGE_COOKIE_NAME": "hygie_language",
        "LANGUAGE_COOKIE_AGE": 31_536_000,
        "USE_I18N": True,
        "USE_TZ": True,
        "TIME_ZONE": settings.zone,
    }


def _static(settings: Settings) -> dict[str, Any]:
    return {
        "STATIC_URL": "/static/",
        "STATIC_ROOT": str(static_root(settings)),
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
        },
        "WHITENOISE_MAX_AGE": 31_536_000,
    }


def static_root(settings: Settings) -> Path:
    """Return the folder where ``prepare`` gathers the static files under hashed names."""
    return settings.data / "static"


def _csp() -> dict[str, Any]:
    from csp.constants import NONE, SELF  # noqa: PLC0415  only the portal needs django-csp

    return {
        "CONTENT_SECURITY_POLICY": {
            "DIRECTIVES": {
                "default-src": [NONE],
                "script-src": [SELF],
                "style-src": [SELF],
                "img-src": [SELF],
                "connect-src": [SELF],
                "manifest-src": [SELF],
                "form-action": [SELF],
                "base-uri": [NONE],
                "frame-ancestors": [NONE],
            }
        }
    }
