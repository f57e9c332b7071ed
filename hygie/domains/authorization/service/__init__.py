"""The use cases of the provider: sign applications in, and let people decide what they may do."""
