"""Nothing in the code can reach another machine without a line in the table of flows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from hygie.domains.rights.model.register import flows
from hygie.kernel.config import Settings

ROOT = Path(__file__).resolve().parents[4]
CLIENTS = frozenset(
    {
        *("smtplib", "ftplib", "imaplib", "poplib", "nntplib", "telnetlib", "xmlrpc", "socket"),
        *("http", "urllib3", "requests", "httpx", "aiohttp", "websockets", "paramiko", "pkcs11"),
        *("asyncssh", "ldap3", "dns", "grpc", "boto3", "kafka", "redis", "pynetdicom"),
    }
)
HARMLESS = frozenset({"http.HTTPStatus", "http.cookies"})
CALLS = frozenset(
    {
        *("urlopen", "open_connection", "create_connection", "sock_connect", "urlretrieve"),
        *("asyncpg.connect", "psycopg.connect", "AsyncConnection.connect", "Connection.connect"),
    }
)
HERE_ONLY = {
    "hygie.supervisor.health": "asks the address that Hygie itself listens on",
    "hygie.supervisor.checks": "looks whether its own port is free",
    "hygie.kernel.audit.witness.server": "listens, and calls nobody",
    "hygie.domains.cards.api.listener": "listens, and calls nobody",
}
"""Modules that use a network library and reach no other machine, with the reason."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("hygie", "hygie_verify"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "tests" not in parts and "testing" not in parts and "r4" not in parts:
                yield ".".join(parts).removesuffix(".__init__"), ast.parse(path.read_text("utf-8"))


def reaches(tree: ast.AST) -> bool:
    """Tell whether a module imports a network client, or opens a connection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            if any(_is_client(alias.name) for alias in node.names):
                return True
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if any(_is_client(f"{node.module}.{alias.name}") for alias in node.names):
                return True
        elif isinstance(node, ast.Call) and _called(node.func):
            return True
    return False


def _is_client(name: str) -> bool:
    if name in HARMLESS or any(name.startswith(f"{one}.") for one in HARMLESS):
        return False
    return name.partition(".")[0] in CLIENTS or name.startswith("urllib.request")


def _called(function: ast.expr) -> bool:
    name = ast.unparse(function)
    return any(name == one or name.endswith(f".{one}") for one in CALLS)


def test_every_module_that_can_reach_another_machine_is_in_the_table() -> None:
    listed = {module for row in flows().rows for module in row.value.modules} | set(HERE_ONLY)
    found = {name for name, tree in modules() if reaches(tree)}
    assert found - listed == set(), "give each a line in flows.csv: recipient, country, data, basis"
    assert listed - found == set(), "these lines of flows.csv name modules that reach nobody"


@pytest.mark.parametrize(
    "text",
    [
        "import requests",
        "from http import client",
        "import http.client",
        "from urllib.request import urlopen",
        "import urllib.request",
        "import socket",
        "asyncio.open_connection('a', 1)",
        "await asyncpg.connect(dsn)",
        "from smtplib import SMTP",
    ],
)
def test_the_look_sees_every_way_out(text: str) -> None:
    assert reaches(ast.parse(text))


@pytest.mark.parametrize(
    "text", ["from http import HTTPStatus", "from urllib.parse import urlsplit", "import json"]
)
def test_the_look_leaves_what_reaches_nobody(text: str) -> None:
    assert not reaches(ast.parse(text))


def test_every_flow_is_off_as_hygie_is_delivered(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    names = {field.name for field in fields(Settings)}
    for row in flows().rows:
        assert row.value.setting in names
        assert not getattr(settings, row.value.setting)
        assert row.value.country
        assert row.value.recipient["fr"]
