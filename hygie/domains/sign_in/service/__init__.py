"""The use cases of accounts, called by pages, by the operator's commands and by the demonstration."""

from hygie.domains.sign_in.service.accounts import NewAccount, close_account, open_accounts

__all__ = ["NewAccount", "close_account", "open_accounts"]
