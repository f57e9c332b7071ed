"""The first start in demonstration mode: ``python -m hygie.supervisor.populate``.

It makes the population, loads it and opens the accounts; it may be interrupted anywhere and goes
on at the next start.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Iterator
from datetime import date

from tqdm import tqdm

from hygie.app import compose
from hygie.demo import Record, accounts, population
from hygie.demo.outside import write_outside_people
from hygie.domains.sign_in.model import Kind
from hygie.kernel.config import Settings, settings_from_environment
from hygie.kernel.database import server, state
from hygie.kernel.database.installation import demo_password
from hygie.kernel.database.state import State
from hygie.kernel.errors import Unprocessable
from hygie.kernel.platform import Platform
from hygie.kernel.security.caller import Right
from hygie.kernel.store import open_repository
from hygie.kernel.store.loading import Feed, Problem, load
from hygie.kernel.web import portal
from hygie.supervisor import journal
from hygie.supervisor.population import Made, made, remember

SEED = 1
RESOURCES_EACH = 150
"""A rough number of resources per patient, for the progress of the load."""


def populate(settings: Settings, wanted: int) -> None:
    """Make and load so many patients, then open the demonstration accounts."""
    before = made(settings)
    remember(settings.data, before)
    write_outside_people(settings)
    platform = compose(settings)
    asyncio.run(_load(settings, platform, wanted, date.fromisoformat(before.today)))
    if settings.only != "api":
        _open_accounts(settings, platform)
    remember(settings.data, Made(before.today, wanted))


async def _load(settings: Settings, platform: Platform, wanted: int, today: date) -> None:
    repository = await open_repository(settings, law=platform.law)
    feed = Feed(
        f"demonstration/{SEED}/{today}/{wanted}",
        _counted(settings, population(SEED, wanted, today=today), wanted),
        expected=wanted * RESOURCES_EACH,
    )
    try:
        report = await load(repository, [feed], report=_complain)
    finally:
        await repository.database.close()
    if report.refused:
        raise Unprocessable(
            f"{report.refused} resources of the demonstration were refused; see above."
        )


def _counted(settings: Settings, records: Iterable[Record], wanted: int) -> Iterator[Record]:
    """Pass the records on and tell how many patients went by; the directory is the first record."""
    with tqdm(total=wanted, desc="demonstration population", unit=" patients") as bar:
        for number, record in enumerate(records):
            reason = f"demonstration population: {number} of {wanted} patients"
            state.publish(settings.data, State("starting", reason, database=True))
            bar.update(number - bar.n)
            yield record


def _complain(problem: Problem) -> None:
    if problem.refused:
        tqdm.write(problem.line().decode().strip(), file=sys.stderr)


def _open_accounts(settings: Settings, platform: Platform) -> None:
    """Open the accounts with this installation's password; professionals may identify strangers."""
    portal.configure(platform, dsn=server.dsn(settings))
    # Django's models can be imported once Django is configured.
    from hygie.domains.sign_in.service import NewAccount, open_accounts  # noqa: PLC0415

    opened = [
        NewAccount(
            each.login,
            each.name,
            Kind(each.kind),
            reference=each.reference or "",
            rights=tuple(Right(right) for right in each.rights),
        )
        for each in accounts()
    ]
    open_accounts(opened, password=demo_password(settings.data))


if __name__ == "__main__":
    chosen = settings_from_environment()
    journal.set_up(chosen.log)
    populate(chosen, chosen.demo or 0)
