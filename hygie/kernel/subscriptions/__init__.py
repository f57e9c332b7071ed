"""The change feed: what changed, once each, in an order that never goes back."""
