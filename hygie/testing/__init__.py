"""Factories, clocks and simulators for tests and demonstration mode."""
