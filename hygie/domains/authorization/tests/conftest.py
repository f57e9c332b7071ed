"""Applications to sign in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hygie.testing.applications import App, register
from hygie.testing.portal import Site


@pytest.fixture
def provider(site: Site) -> Callable[..., App]:
    """Give what registers and approves an application."""
    return lambda **chosen: register(site, **chosen)


@pytest.fixture
def app(provider: Callable[..., App]) -> App:
    """Give a confidential application of patients."""
    return provider()
