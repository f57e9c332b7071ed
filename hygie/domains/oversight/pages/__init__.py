"""The pages: the queue of the reviewers, the question to a professional, the patient's report."""
