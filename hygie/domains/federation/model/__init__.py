"""Outside identity without input or output: providers, levels, identities, their comparison."""
