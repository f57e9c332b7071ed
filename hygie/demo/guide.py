"""The demonstration accounts as the start page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hygie.demo.accounts import accounts
from hygie.kernel.database.installation import demo_password
from hygie.kernel.platform import DemoAccount


class Guide:
    """Tells a visitor of the demonstration which accounts to try."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def accounts(self) -> Sequence[DemoAccount]:
        """Return the accounts in the order they are shown."""
        return [
            DemoAccount(
                one.login, one.name, one.kind, one.reference or "", one.story_fr, one.story_en
            )
            for one in accounts()
        ]

    def password(self) -> str:
        """Return the password they share in this installation."""
        return demo_password(self._data)
