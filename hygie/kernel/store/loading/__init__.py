"""Bulk load: the loader's own way into the store, for ``hygie load`` and the demonstration."""

from hygie.kernel.store.loading.loader import load
from hygie.kernel.store.loading.report import LoadReport, Problem, Progress
from hygie.kernel.store.loading.sources import Feed, File, find_sources

__all__ = ["Feed", "File", "LoadReport", "Problem", "Progress", "find_sources", "load"]
