"""A client of the local operator for every test of the machine face."""

from __future__ import annotations

import pytest

from hygie.kernel.api.tests.client import Client
from hygie.testing.service import Service


@pytest.fixture(scope="module")
def call(service: Service) -> Client:
    return Client(service, service.token())
