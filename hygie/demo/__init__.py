"""The demonstration: a synthetic French population and its accounts."""
