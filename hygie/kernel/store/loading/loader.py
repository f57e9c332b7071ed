"""Load resources in bulk: read, make ready and copy, the next batch while the last is stored."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import asyncpg

from hygie.kernel.database.connection import Database
from hygie.kernel.database.roles import LOADER
from hygie.kernel.errors import HygieError, Issue, Unprocessable
from hygie.kernel.security.caller import SYSTEM
from hygie.kernel.store.loading.copying import Copier
from hygie.kernel.store.loading.items import Group, Item, Source
from hygie.kernel.store.loading.marks import Mark, read_mark
from hygie.kernel.store.loading.ready import Maker, Ready, dangling, refused
from hygie.kernel.store.loading.references import Conditions, Targets, conditional_references
from hygie.kernel.store.loading.report import LoadReport, Problem, Progress
from hygie.kernel.store.loading.sources import Feed
from hygie.kernel.store.loading.upkeep import analyze
from hygie.kernel.store.repository import Repository
from hygie.kernel.store.tracing import Request

BATCH = 1_500
BATCH_BYTES = 24 * 1024 * 1024
TRIES = 3

Tell = Callable[[Problem], None]
Show = Callable[[Progress], None]


async def load(
    repository: Repository,
    sources: Sequence[Source],
    *,
    progress: Show | None = None,
    report: Tell | None = None,
) -> LoadReport:
    """Store every resource of some sources, as the local operator.

    A resource keeps its id. One that is stored with the same content is skipped, with another
    content it gets a new version. What is refused never stops the rest. An interrupted load goes
    on where its last batch was stored.

    Args:
        repository: where to.
        sources: files (``find_sources``) and feeds.
        progress: called after each batch.
        report: called for each entry that is refused or doubtful.

    Raises:
        Unavailable: the database went away; start the same load again to go on.
    """
    database = await Database.open(repository.database.dsn, role=LOADER, size=1)
    try:
        async with database.connection() as connection:
            copier = Copier(connection, repository.bodies)
            loader = _Loader(repository, copier, report or _silent, progress)
            with _rare_collections():
                await loader.run(sources)
            if loader.report.created or loader.report.updated:
                await analyze(repository.database.dsn, connection)
        return loader.report
    finally:
        await database.close()


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Let the collector of cycles pass rarely.

    What a load makes holds no cycle, and looking for one costs a sixth of its time.
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _silent(_: Problem) -> None:
    """Tell nobody; the counts say enough."""


@dataclass(slots=True)
class _Batch:
    entries: list[tuple[Source, Item]] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    size: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.entries) >= BATCH or self.size >= BATCH_BYTES


@dataclass(slots=True)
class _Loader:
    repository: Repository
    copier: Copier
    tell: Tell
    show: Show | None
    report: LoadReport = field(default_factory=LoadReport)

    _request: Request = field(default_factory=lambda: Request("batch"))
    _batch: _Batch = field(default_factory=_Batch)
    _marks: dict[str, Mark] = field(default_factory=dict)
    _shares: dict[str, float] = field(default_factory=dict)
    _weights: dict[str, int] = field(default_factory=dict)
    _writing: asyncio.Task[None] | None = None
    _targets: Targets = field(default_factory=Targets)
    _conditions: Conditions = field(init=False)

    def __post_init__(self) -> None:
        self._conditions = Conditions(self.repository)

    async def run(self, sources: Iterable[Source]) -> None:
        """Load; sources that wait for what others hold come a second time, last."""
        sources = list(sources)
        self._weights = {source.identity: source.weight for source in sources}
        try:
            postponed = [source for source in sources if not await self._take(source)]
            for source in postponed:
                await self._take(source, last=True)
            await self._catch_up()
        finally:
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.gather(self._writing, return_exceptions=True)
        for problem in await self._targets.finish(self.copier.connection):
            self._tell(problem)

    async def _take(self, source: Source, *, last: bool = False) -> bool:
        """Load one source; False when it must wait for the others."""
        mark = self._marks.get(source.identity)
        if mark is None:
            await self._settle()
            mark = await read_mark(self.copier.connection, source.identity)
            self._marks[source.identity] = mark
        if mark.ended:
            self.report.sources_done += 1
            self._shares[source.identity] = 1.0
            return True
        groups = source.groups(mark.entries)
        while (group := await asyncio.to_thread(next, groups, None)) is not None:
            if not await self._link(group) and not (last or isinstance(source, Feed)):
                return False
            self._add(source, mark, group)
            if self._batch.is_full:
                await self._flush()
        mark.ended = True
        self._batch.marks[mark.identity] = mark
        return True

    async def _link(self, group: Group) -> bool:
        """Resolve the searches that stand for references; False when one finds nothing yet."""
        if group.criteria:
            await self._catch_up()
            existing = await self._conditions.resolve(set(group.criteria.values()))
            self._leave_out_existing(group, existing)
        wanted = {text for item in group.items for text in conditional_references(item.raw)}
        found = await self._conditions.resolve(wanted, group)
        if wanted - found.keys() and (self._batch.entries or self._writing):
            await self._catch_up()
            found = await self._conditions.resolve(wanted, group)
        group.links.update(found)
        return not wanted - found.keys()

    def _leave_out_existing(self, group: Group, found: dict[str, str]) -> None:
        """Drop the conditional creates whose search found another resource; point to that one."""
        for full_url, text in group.criteria.items():
            target, own = found.get(text), group.links[full_url]
            if target is not None and target != own:
                group.links[full_url] = target
                before = len(group.items)
                group.items = [i for i in group.items if f"{i.rt}/{i.rid}" != own]
                self.report.unchanged += before - len(group.items)

    def _add(self, source: Source, mark: Mark, group: Group) -> None:
        for fault in group.faults:
            problem = Problem(source.name, fault.place, fault.reference, fault.error.issues)
            self._tell(problem, mark)
        batch = self._batch
        for item in group.items:
            batch.entries.append((source, item))
            batch.size += len(item.raw)
        mark.entries = max(mark.entries, group.after)
        batch.marks[mark.identity] = mark
        self._shares[mark.identity] = group.share

    async def _flush(self) -> None:
        """Make the batch ready while the one before is stored; then begin to store it."""
        batch, self._batch = self._batch, _Batch()
        if not batch.entries and not batch.marks:
            return
        updated = datetime.now(UTC)
        updated = updated.replace(microsecond=updated.microsecond // 1000 * 1000)
        ready, problems = await asyncio.to_thread(self._make_ready, batch, updated)
        for problem in problems:
            self._tell(problem, self._mark_of(problem, batch))
        # As they are now: while this batch is stored, the next one moves them on.
        marks = [replace(mark) for mark in batch.marks.values()]
        await self._settle()
        self._writing = asyncio.create_task(self._store(ready, updated, marks))

    def _mark_of(self, problem: Problem, batch: _Batch) -> Mark | None:
        names = {source.name: source.identity for source, _ in batch.entries}
        return batch.marks.get(names.get(problem.source, ""))

    def _make_ready(self, batch: _Batch, updated: datetime) -> tuple[list[Ready], list[Problem]]:
        """Make a batch ready, in a thread of its own."""
        maker = Maker(
            self.repository.law.projections,
            self.repository.site,
            self._request,
        )
        made: list[Ready] = []
        problems: list[Problem] = []
        for source, item in batch.entries:
            try:
                ready = maker.make(source, item, updated=updated)
            except HygieError as error:
                problems.append(refused(source, item, error))
                continue
            made.append(ready)
            doubt = dangling(ready)
            if doubt is not None:
                problems.append(doubt)
        return made, problems

    async def _catch_up(self) -> None:
        """Store everything read so far."""
        await self._flush()
        await self._settle()

    async def _settle(self) -> None:
        """Wait for the batch that is being stored."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _store(self, batch: list[Ready], updated: datetime, marks: list[Mark]) -> None:
        bad = await self._store_some(batch, updated, marks)
        if bad:
            for ready in bad:
                self._marks[ready.source.identity].refused += 1
            for mark in marks:
                mark.refused = self._marks[mark.identity].refused
            await self.copier.copy([], request=self._request, updated=updated, marks=marks)
        followed = [(ready.source.name, ready.item, ready.targets) for ready in batch]
        await self._targets.follow(self.copier.connection, followed)
        if self.show is not None:
            whole = sum(self._weights.values()) or 1
            done = sum(self._weights[one] * share for one, share in self._shares.items())
            self.show(Progress(min(1.0, done / whole), self.report.total))

    async def _store_some(
        self, batch: list[Ready], updated: datetime, marks: list[Mark]
    ) -> list[Ready]:
        """Store what can be; return what the database or the writer refused."""
        try:
            return await self._store_once(batch, updated, marks)
        except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, ValueError) as error:
            if len(batch) == 1:
                self._tell(refused(batch[0].source, batch[0].item, _not_storable(error)))
                return batch
        middle = len(batch) // 2
        return [
            *await self._store_some(batch[:middle], updated, []),
            *await self._store_some(batch[middle:], updated, marks),
        ]

    async def _store_once(
        self, batch: list[Ready], updated: datetime, marks: list[Mark], tries: int = TRIES
    ) -> list[Ready]:
        found = await self.copier.sort(batch)
        try:
            await self.copier.copy(
                found.new,
                request=self._request,
                updated=updated,
                marks=[] if found.changed else marks,
            )
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
            # Somebody else made one of these ids since we looked.
            if tries == 1:
                raise
            return await self._store_once(batch, updated, marks, tries - 1)
        self.report.created.update(ready.item.rt for ready in found.new)
        self.report.unchanged += found.same
        if not found.changed:
            return []
        bad = await self._update(found.changed)
        if not bad:
            await self.copier.copy([], request=self._request, updated=updated, marks=marks)
        return bad

    async def _update(self, changed: list[Ready]) -> list[Ready]:
        """Give new versions to what is stored with another content, by the ordinary writer."""
        asked = replace(self._request, interaction="update")
        results = await asyncio.gather(
            *(
                self.repository.update(
                    SYSTEM, one.item.rt, one.item.rid, one.stamped, request=asked
                )
                for one in changed
            ),
            return_exceptions=True,
        )
        bad = []
        for one, result in zip(changed, results, strict=True):
            if isinstance(result, HygieError):
                self._tell(refused(one.source, one.item, result))
                bad.append(one)
            elif isinstance(result, BaseException):
                raise result
            else:
                self.report.updated += 1
        return bad

    def _tell(self, problem: Problem, mark: Mark | None = None) -> None:
        if problem.refused:
            self.report.refused += 1
            if mark is not None:
                mark.refused += 1
        else:
            self.report.warnings += len(problem.issues)
        self.tell(problem)


def _not_storable(error: Exception) -> HygieError:
    sentence = f"The database cannot hold a value of this resource: {error}"
    return Unprocessable(sentence, issues=[Issue("too-long", sentence)])
