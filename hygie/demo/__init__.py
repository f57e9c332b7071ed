"""The demonstration: a synthetic French population and its accounts.

Everything is drawn from a seed and from the tables of ``definitions``, which a clinician can
review without reading code. Nobody here exists: numbers are test numbers, telephones are of the
ranges kept for fiction, addresses are drawn.
"""

from hygie.demo.accounts import Account, accounts
from hygie.demo.population import Record, population

__all__ = ["Account", "Record", "accounts", "population"]
