"""Cards as pure rules: who issued one, whether it still stands, whom it names, what it says."""
