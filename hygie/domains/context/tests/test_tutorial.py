"""The code of the tutorial runs, with the answer of the token endpoint it begins from."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from hygie.testing.followers import Desk

PAGE = Path(__file__).parents[4] / "docs/tutorials/follow-the-patient.md"


async def test_the_tutorial_runs(desk: Desk) -> None:
    answer: dict[str, Any] = {
        "access_token": await desk.token(),
        "hub.url": desk.hub,
        "hub.topic": await desk.topic(),
    }
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    code = compile("\n".join(blocks), str(PAGE), "exec")
    await asyncio.to_thread(exec, code, {"answer": answer})
