"""Take away what deleted rows leave in the files of PostgreSQL: free space of pages, the journal.

A deleted row stands in its page until VACUUM compacts the page, and in free space of the page until
another row is written there; every row also stands in the journal, whose files are used again.
Documents leave ciphertext only; what is told here is about the searchable JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hygie.kernel.database.roles import OWNER
from hygie.kernel.database.session import connect

if TYPE_CHECKING:
    from hygie.kernel.database.session import Connection

TABLES: Final = (
    "hygie.resource",
    "hygie.resource_history",
    "hygie.resource_key",
    "hygie.s_string",
    "hygie.s_date",
    "hygie.s_number",
    "hygie.blob_use",
    "hygie.label_reach",
    "hygie.care_relation",
    "hygie.practice",
    "hygie_keys.patient_key",
)
"""What a purge and a destruction of keys touch."""
# Something must be written, or a switch does nothing. What is left of a file is then filled with
# zeros, so that a file that was used before holds nothing of its former life.
_SWITCH = "SELECT pg_logical_emit_message(FALSE, 'hygie', ''), pg_switch_wal()"
_FILES = "SELECT count(*) FROM pg_ls_waldir()"


def clear_tables(dsn: str, *, rewrite: bool = False) -> None:
    """Compact the tables that erasures touch, while requests go on.

    With ``rewrite`` each table is written anew and its former file removed: nothing stays in free
    space, and whoever asks for the table waits meanwhile.
    """
    how = "VACUUM (FULL, ANALYZE)" if rewrite else "VACUUM (INDEX_CLEANUP ON)"
    with connect(dsn, role=OWNER) as session:
        for table in TABLES:
            session.execute(f"{how} {table}".encode())


def clear_journal(admin_dsn: str) -> int:
    """Write over the files of the journal, then remove them; return how many there were.

    Of the embedded server, whose superuser ``admin_dsn`` is. For the length of the call files are
    removed instead of used again. A standby and a replication slot keep theirs.
    """
    with connect(admin_dsn) as admin:
        admin.execute("ALTER SYSTEM SET wal_recycle = off")
        try:
            admin.execute("SELECT pg_reload_conf()")
            before = _count(admin)
            for _ in range(before):
                admin.execute(_SWITCH)
            admin.execute("CHECKPOINT")
        finally:
            admin.execute("ALTER SYSTEM RESET wal_recycle")
            admin.execute("SELECT pg_reload_conf()")
    return before


def _count(admin: Connection) -> int:
    row = admin.execute(_FILES).fetchone()
    return row[0] if row else 0
