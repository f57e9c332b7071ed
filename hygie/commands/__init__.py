"""What an operator types: ``hygie serve``, ``hygie load``... one file per command.

Each file has ``add(commands)``, which describes its options, and a function that does the work
and returns the exit code.
"""
