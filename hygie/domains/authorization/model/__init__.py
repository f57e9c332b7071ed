"""Words, lifetimes, states and rules of applications; no input, no output."""
