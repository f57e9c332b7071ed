"""Gather the French texts of pages into the English catalogues, and compile them.

Run `python scripts/messages.py` after changing a text, translate what is empty in the `.po` files,
run it again. Needs GNU gettext.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hygie.kernel.config import Settings  # noqa: E402
from hygie.kernel.web import bridge, portal  # noqa: E402
from hygie.testing.portal import compose  # noqa: E402


def main() -> None:
    """Update and compile the catalogue of every application that has templates."""
    platform = compose(Settings(data=Path(tempfile.mkdtemp())))
    portal.configure(platform, dsn="")
    bridge.install(bridge.Bridge(asyncio.new_event_loop(), platform))
    from django.core.management import call_command  # noqa: PLC0415  after configure

    for templates in sorted(ROOT.glob("hygie/**/templates")):
        with contextlib.chdir(templates.parent):
            Path("locale").mkdir(exist_ok=True)
            call_command("makemessages", locale=["en"], no_location=True, no_obsolete=True)
            call_command("compilemessages", locale=["en"], verbosity=0)


if __name__ == "__main__":
    main()
