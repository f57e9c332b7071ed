from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hygie.kernel.errors import Unavailable
from hygie.kernel.security.keys.file import FileKeys
from hygie.kernel.security.keys.keeping import DESTRUCTION, ROTATION, Kept, Late, keep, lateness
from hygie.kernel.security.keys.keyring import Keyring
from hygie.kernel.security.keys.periods import periods
from hygie.kernel.security.keys.port import Wrapped

NOW = datetime.now(UTC)
HELD = periods(NOW.date())
DAY = timedelta(days=1)
PATIENTS = range(1, 8)


@pytest.fixture
async def ring(keyring: Keyring) -> Keyring:
    """Give a keyring that has keys."""
    await keyring.latest(PATIENTS)
    return keyring


async def late(keyring: Keyring, at: datetime) -> list[str]:
    async with keyring.database.connection() as connection:
        found: list[Late] = list(await lateness(connection, at=at))
    return [one.subject for one in found]


async def test_nothing_is_done_before_it_is_time(ring: Keyring, port: FileKeys) -> None:
    assert await keep(ring.database, port, at=NOW) == Kept()
    assert await keep(ring.database, port, at=NOW + HELD.rotate - DAY) == Kept()
    assert port.versions() == [1]


async def test_where_nothing_is_encrypted_nothing_rotates(keyring: Keyring, port: FileKeys) -> None:
    assert await keep(keyring.database, port, at=NOW + 10 * HELD.rotate) == Kept()
    assert await late(keyring, NOW + 10 * HELD.rotate) == []


async def test_a_key_rotates_in_time_once_and_is_destroyed_in_time_once(
    ring: Keyring, port: FileKeys
) -> None:
    first = NOW + HELD.rotate + DAY
    assert await keep(ring.database, port, at=first) == Kept(rotated=True, wrapped=len(PATIENTS))
    assert await keep(ring.database, port, at=first + DAY) == Kept()
    assert port.versions() == [1, 2]
    second = first + HELD.keep
    assert await keep(ring.database, port, at=second) == Kept(
        rotated=True, wrapped=len(PATIENTS), destroyed=(1,)
    )
    assert await keep(ring.database, port, at=second) == Kept()
    assert port.versions() == [2, 3]


class _Stopping(FileKeys):
    """A token that goes away after it made the next version."""

    def unwrap(self, wrapped: Wrapped, *, about: bytes) -> bytes:
        raise Unavailable(f"stopped before {wrapped.version} of {len(about)} bytes")


async def test_an_interrupted_rotation_is_finished_and_no_second_one_begins(
    ring: Keyring, port: FileKeys
) -> None:
    at = NOW + HELD.rotate + DAY
    with pytest.raises(Unavailable, match="stopped"):
        await keep(ring.database, _Stopping(port.folder), at=at)
    assert await keep(ring.database, port, at=at) == Kept(wrapped=len(PATIENTS))
    assert port.versions() == [1, 2]


async def test_one_programme_at_a_time_keeps_the_keys(ring: Keyring, port: FileKeys) -> None:
    async with ring.database.connection() as other:
        await other.fetchval("SELECT pg_advisory_lock(hashtext('hygie.keys.keeping'))")
        assert await keep(ring.database, port, at=NOW + 2 * HELD.rotate) == Kept()
        await other.execute("SELECT pg_advisory_unlock_all()")
    assert (await keep(ring.database, port, at=NOW + 2 * HELD.rotate)).rotated


async def test_what_is_late_is_told_until_it_is_done(ring: Keyring, port: FileKeys) -> None:
    due = NOW + HELD.rotate + HELD.late + DAY
    assert await late(ring, NOW + HELD.rotate + DAY) == []
    assert await late(ring, due) == [ROTATION]
    await keep(ring.database, port, at=due)
    assert await late(ring, due) == []
    far = due + HELD.keep + HELD.late + DAY
    assert await late(ring, far) == [ROTATION, DESTRUCTION]
    await keep(ring.database, port, at=far)
    assert await late(ring, far) == []


async def test_an_unfinished_rotation_is_late_too(ring: Keyring, port: FileKeys) -> None:
    at = NOW + HELD.rotate + DAY
    with pytest.raises(Unavailable):
        await keep(ring.database, _Stopping(port.folder), at=at)
    assert await late(ring, at + DAY) == []
    assert await late(ring, at + HELD.late) == [ROTATION]
