"""Django's settings as the type checker needs them; nothing runs on them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from tempfile import gettempdir

from hygie.kernel.config import Settings
from hygie.kernel.platform import Platform
from hygie.kernel.web.settings import django_settings

_platform = Platform(Settings(data=Path(gettempdir()), secret="types only"))  # noqa: S106  nothing is signed with it
import_module("hygie.domains.sign_in").register(_platform)
import_module("hygie.domains.federation").register(_platform)
import_module("hygie.domains.cards").register(_platform)
import_module("hygie.domains.authorization").register(_platform)
globals().update(django_settings(_platform.settings, _platform, dsn=""))
