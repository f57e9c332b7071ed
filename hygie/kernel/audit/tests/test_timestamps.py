from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hygie.kernel.audit import alarms, sequencer
from hygie.kernel.audit.tests.test_sequencer import KEY, reads
from hygie.kernel.audit.timestamps import Authority, open_authority, stamp_last
from hygie.kernel.audit.trace import write
from hygie.kernel.database import roles
from hygie.kernel.errors import ConfigurationError
from hygie.testing.timestamp_authority import LocalAuthority

if TYPE_CHECKING:
    from asyncpg import Connection

    from hygie.kernel.audit.tests.conftest import Connect


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def placer(connect: Connect, app: Connection) -> Connection:
    """Return a connection to a log of one head."""
    placer = await connect(roles.SEQUENCER)
    await write(app, reads(3))
    await sequencer.sequence(placer, KEY)
    return placer


def opened(url: str, certificate: Path) -> Authority:
    authority = open_authority(url, certificate)
    assert authority is not None
    return authority


async def test_the_last_head_is_stamped_once(placer: Connection, local: LocalAuthority) -> None:
    with local.serving() as url:
        authority = opened(url, local.certificate)
        assert await stamp_last(placer, authority)
        assert not await stamp_last(placer, authority)
    row = await placer.fetchrow("SELECT size, length(token) AS n FROM trace_timestamp")
    assert row is not None
    assert (row["size"], row["n"] > 500) == (3, True)


async def test_an_authority_that_does_not_answer_is_an_alarm(
    placer: Connection, local: LocalAuthority
) -> None:
    with local.serving() as url:
        pass
    assert not await stamp_last(placer, opened(url, local.certificate))
    assert [alarm.kind for alarm in await alarms.standing(placer)] == ["timestamp"]


async def test_an_answer_of_another_authority_is_refused(
    placer: Connection, local: LocalAuthority, tmp_path: Path
) -> None:
    other = LocalAuthority(tmp_path / "other")
    with local.serving() as url:
        assert not await stamp_last(placer, opened(url, other.certificate))
    assert not await placer.fetchval("SELECT count(*) FROM trace_timestamp")


def test_no_authority_is_asked_by_default() -> None:
    assert open_authority("", None) is None


@pytest.mark.parametrize("url", ["ftp://tsa.example", "https://tsa.example"])
def test_an_authority_needs_an_address_and_its_certificate(url: str, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    for certificate in (None, tmp_path / "no.pem", tmp_path / "absent.pem"):
        with pytest.raises(ConfigurationError):
            open_authority(url, certificate)
