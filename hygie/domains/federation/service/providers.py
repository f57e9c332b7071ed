"""The providers of this installation, read once per process, and what is known of each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from hygie.domains.federation.model.providers import Provider, read_providers
from hygie.domains.federation.service.openid.metadata import Known
from hygie.kernel.config import Settings
from hygie.kernel.errors import ConfigurationError, NotFound


def providers_of(settings: Settings) -> tuple[Provider, ...]:
    """Return the providers that ``HYGIE_PROVIDERS`` describes, none where it is not set.

    Raises:
        ConfigurationError: the file cannot be read, or breaks a rule.
    """
    if settings.providers is None:
        return ()
    return tuple(one.provider for one in _known(settings.providers, settings.identities))


def known_of(settings: Settings, name: str) -> Known:
    """Return one provider by its name.

    Raises:
        NotFound: there is none of this name.
    """
    if settings.providers is not None:
        for one in _known(settings.providers, settings.identities):
            if one.provider.name == name:
                return one
    raise NotFound("There is no such identity provider here.")


def seen_from(known: Known, address: str, *, base: str) -> str:
    """Return an address of a provider as the browser reaches it.

    A simulator that this very programme serves answers wherever the programme is reached; a real
    provider has one address.
    """
    asked, own, reached = urlsplit(address), urlsplit(known.provider.issuer), urlsplit(base)
    if not known.provider.mounted or asked.netloc != own.netloc:
        return address
    return urlunsplit(asked._replace(scheme=reached.scheme, netloc=reached.netloc))


@lru_cache(maxsize=8)
def _known(file: Path, realm: str) -> tuple[Known, ...]:
    try:
        text = file.read_text("utf-8")
    except OSError as absent:
        raise ConfigurationError(f"HYGIE_PROVIDERS names {file}, which cannot be read.") from absent
    return tuple(Known(one) for one in read_providers(text, realm=realm))
