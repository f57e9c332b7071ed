"""The use cases of accounts, for pages, the operator's commands and the demonstration."""

from hygie.domains.sign_in.service.accounts import (
    NewAccount,
    close_account,
    forget_factors,
    open_accounts,
)

__all__ = ["NewAccount", "close_account", "forget_factors", "open_accounts"]
