from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hygie.kernel.audit import alarms
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.security.keys.periods import periods
from hygie.kernel.store import Repository
from hygie.kernel.store.key_jobs import keep_keys, watch_keys

NOW = datetime.now(UTC)
HELD = periods(NOW.date())


async def _alarms(repository: Repository) -> list[tuple[str, str]]:
    async with repository.database.connection() as connection:
        return [(one.kind, one.subject) for one in await alarms.standing(connection)]


async def _traced(repository: Repository) -> list[str]:
    async with repository.database.transaction(system=True) as connection:
        rows = await connection.fetch("SELECT detail FROM trace WHERE agent = 'job/keys'")
    return [row["detail"] for row in rows]


async def test_a_rotation_by_the_job_is_traced_and_ends_its_alarm(repository: Repository) -> None:
    raw = (
        b'{"resourceType":"Binary","id":"letter","contentType":"text/plain","data":"Ym9uam91cg=="}'
    )
    await repository.update(SYSTEM, "Binary", "letter", raw)
    late = NOW + HELD.rotate + HELD.late + timedelta(days=1)
    await watch_keys(repository, at=late)
    assert await _alarms(repository) == [("keys", "rotation")]
    assert (await keep_keys(repository, at=late)).rotated
    assert not (await keep_keys(repository, at=late)).anything
    await watch_keys(repository, at=late)
    assert await _alarms(repository) == []
    assert await _traced(repository) == ["key-encryption key rotated; 1 data keys wrapped anew"]
