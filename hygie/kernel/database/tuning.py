"""The parameters of the embedded server, given on its command line at each start."""

from __future__ import annotations

from pathlib import Path

from hygie.kernel.database.binaries import Binaries, has_zstd


def parameters(binaries: Binaries, sockets: Path) -> list[str]:
    """Return the arguments of ``postgres`` after ``-D``.

    Durability is never traded: fsync, full_page_writes and synchronous_commit stay on. What
    the server logs never holds a value: no statement, no parameter, no DETAIL line.
    """
    chosen = {
        # reachable through the private socket only
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        # durable
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "replica",
        "max_wal_senders": "4",
        "max_replication_slots": "4",
        "wal_compression": "zstd" if has_zstd(binaries) else "pglz",
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        # short statements on a solid-state disk
        "shared_buffers": "256MB",
        "effective_cache_size": "1GB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "64",
        "jit": "off",
        "autovacuum_vacuum_cost_limit": "1000",
        # quiet, and silent about persons
        "log_min_messages": "warning",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    return [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
