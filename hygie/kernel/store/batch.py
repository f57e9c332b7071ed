"""Coalescing: items that arrive while a group is running form the next group.

A lone item never waits: nothing is delayed to fill a group. One bad item fails alone: the runner
returns a result or an exception for each item.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Runner = Callable[[Sequence[Item]], Awaitable[Sequence[Result | BaseException]]]


class Batch(Generic[Item, Result]):
    """Runs items in groups on a few lanes at once.

    Attributes:
        lanes: how many groups may run at the same time; while one waits for the disk, the next
            one is prepared.
        limit: the largest group.
    """

    def __init__(self, run: Runner[Item, Result], *, lanes: int = 2, limit: int = 256) -> None:
        self._run = run
        self._lanes = lanes
        self._limit = limit
        self._busy = 0
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """Return the result of one item, or raise its exception."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._busy < self._lanes:
            self._busy += 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), self._limit)
                group = [self._waiting.popleft() for _ in range(size)]
                await self._answer([(item, future) for item, future in group if not future.done()])
        finally:
            self._busy -= 1

    async def _answer(self, group: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        if not group:
            return
        try:
            results = await self._run([item for item, _ in group])
        except BaseException as error:  # noqa: BLE001 - every waiter must hear of it
            results = [error] * len(group)
        for (_, future), result in zip(group, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
