"""The policies of the product, and the tables that were written beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hygie.kernel.config import Settings
from hygie.kernel.platform import Platform, discover
from hygie.kernel.security.algebra import Policy
from hygie.kernel.store.law import Law
from hygie.testing.proof.tables import Oracle, load, load_moves

TABLES = Path(__file__).parent / "tables"


@pytest.fixture(scope="session")
def law(tmp_path_factory: pytest.TempPathFactory) -> Law:
    """Give the law of the product: that of the domains."""
    platform = Platform(Settings(data=tmp_path_factory.mktemp("law")))
    discover(platform, "hygie.domains")
    return platform.law


@pytest.fixture(scope="session")
def policies(law: Law) -> dict[str, Policy]:
    """Give the policies by act."""
    return {"read": law.policies.read, "write": law.policies.write}


@pytest.fixture(scope="session")
def tables() -> dict[str, Oracle]:
    """Give the decision tables by act."""
    return {act: load(TABLES / act) for act in ("read", "write")}


@pytest.fixture(scope="session")
def moves() -> dict[tuple[str, str], Oracle]:
    """Give the decision tables of each label that is added or lifted."""
    return load_moves(TABLES / "relabel")
