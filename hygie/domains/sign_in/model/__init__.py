"""Pure types and rules of accounts: no input, no output."""

from hygie.domains.sign_in.model.accounts import PORTALS, Kind

__all__ = ["PORTALS", "Kind"]
