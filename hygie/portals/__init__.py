"""Portals: the pages people use, one package per audience."""
