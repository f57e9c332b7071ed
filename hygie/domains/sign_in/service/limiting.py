"""Count tries, in the cache that all processes share, before anything costly is done."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.utils import timezone

from hygie.domains.sign_in.model.limits import rate_of
from hygie.kernel.web.bridge import platform

if TYPE_CHECKING:
    from django.http import HttpRequest


def take(request: HttpRequest, what: str, per: str, *, key: str) -> Any | None:
    """Count one try; return what takes it back by ``rollback()``, None where none is left.

    The counter is that of the sign-in library: it locks, so that two tries never count as one.
    """
    rate = rate_of(what, per, at=timezone.localdate())
    action = f"{what}-{per}"
    return ratelimit.consume(
        request,
        app="hygie",
        action=action,
        config={action: f"{rate.amount}/{rate.seconds}s/key"},
        key=key,
        limit_get=True,
    )


def take_by_address(request: HttpRequest, what: str) -> bool:
    """Count one try of an address; a declared network of many people has a wider count."""
    address = address_of(request)
    per = "network" if is_declared(address) else "address"
    return take(request, what, per, key=address) is not None


def address_of(request: HttpRequest) -> str:
    """Return the address of the client; an IPv6 one by its network, as a household has many."""
    return str(ratelimit.truncate_ip(get_adapter(request).get_client_ip(request)))


def is_declared(address: str) -> bool:
    """Tell whether an address belongs to a network that the operator declared."""
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return False
    declared = platform().settings.networks
    return any(one in ipaddress.ip_network(network, strict=False) for network in declared)
