"""The pages: consent, patient picker, catalogue, registration, approval, other devices."""
