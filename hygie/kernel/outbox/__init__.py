"""Events and jobs: put in the transaction of the data, run once it commits, never lost."""
