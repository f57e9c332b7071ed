"""No column of any table holds a value that was issued: only digests do."""

from __future__ import annotations

from typing import Any

from hygie.testing.applications import App, code_of, signed_in
from hygie.testing.portal import Site


def everything() -> str:
    """Return all rows of all tables of both schemas as text."""
    from django.db import connection

    found: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_schema = 'portal' AND table_name LIKE 'authorization%'"
        )
        for schema, name in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{schema}"."{name}" t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


async def tokens(site: Site) -> str:
    repository = site.platform.repository
    assert repository is not None
    async with repository.database.connection() as connection:
        rows = await connection.fetch("SELECT t::text FROM access_token t")
        rows += await connection.fetch("SELECT t::text FROM application t")
    return "\n".join(row[0] for row in rows)


def test_no_column_holds_an_issued_value(site: Site, app: App) -> None:
    import asyncio

    browser = signed_in(site, "nora")
    code = code_of(site, app, browser=browser)
    told: Any = app.redeem(code).json()
    pushed: Any = app.post("/oauth/par", app.parameters()).json()
    ciba: Any = app.post("/oauth/bc-authorize", {"scope": "openid", "login_hint": "nora"}).json()
    kept = everything() + asyncio.run_coroutine_threadsafe(tokens(site), site.loop).result(10)
    assert app.client_id in kept
    issued = {
        "code": code,
        "access": told["access_token"],
        "refresh": told["refresh_token"],
        "id": told["id_token"],
        "secret": app.secret,
        "request": pushed["request_uri"].rpartition(":")[2],
        "device": ciba["auth_req_id"],
        "session": browser.cookies["sessionid"].value,
    }
    assert all(len(value) > 20 for value in issued.values())
    for name, value in issued.items():
        assert value not in kept, name
        assert value.encode().hex() not in kept, name


def test_no_private_key_is_kept_in_clear(site: Site, app: App) -> None:
    import asyncio

    import msgspec

    from hygie.domains.authorization.orm import SigningKey
    from hygie.domains.authorization.service import signing

    app.redeem(code_of(site, app))
    kept = SigningKey.objects.filter(algorithm="ES256").latest("starts")
    key = signing._unsealed(kept)
    secret = str(key.as_dict(private=True)["d"])
    assert secret not in everything()
    assert "d" not in kept.public
    assert b'"d"' not in bytes(kept.sealed)
    assert msgspec.json.encode(key.as_dict(private=True)) not in bytes(kept.sealed)
    assert asyncio.iscoroutinefunction(tokens)


def test_what_expired_is_forgotten(site: Site, app: App) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from hygie.domains.authorization.orm import Code
    from hygie.domains.authorization.service.keeping import forget

    code_of(site, app)
    last = Code.objects.latest("pk")
    Code.objects.filter(pk=last.pk).update(expires=timezone.now() - timedelta(days=2))
    assert forget() >= 1
    assert not Code.objects.filter(pk=last.pk).exists()
