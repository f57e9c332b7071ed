"""Invented accesses of a small region, with planted snooping, to judge a detector by.

Written before the detector and without it: people live, move, fall ill, work in shifts and are
curious; the rows come out of that. Nothing here knows a weight, a threshold or a reason. What the
establishment records is a faulty copy of what happened: appointments, notes and addresses are
missing, colleagues cover for one another and share workstations.
"""

from hygie.testing.snooping.generate import Traces, generate
from hygie.testing.snooping.rows import Access, Practice, Resident, Tie

__all__ = ["Access", "Practice", "Resident", "Tie", "Traces", "generate"]
