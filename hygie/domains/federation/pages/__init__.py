"""The pages: going to a provider and coming back, the telephone, the queue of doubtful cases."""
