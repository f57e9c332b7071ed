"""The pages of the rights, by portal; each asks the service and prints plain values."""
