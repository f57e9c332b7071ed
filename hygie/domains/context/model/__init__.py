"""Events, rules and messages of FHIRcast 3.0.0, without input or output."""
