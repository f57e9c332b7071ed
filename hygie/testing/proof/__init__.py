"""A second opinion on who may do what: decision tables, cases, mutants. Used by tests only.

Nothing here is taken from the rules of the platform: the tables are written from the published
rules by another hand and read by another machine, so that a fault must be made twice to pass.
"""
