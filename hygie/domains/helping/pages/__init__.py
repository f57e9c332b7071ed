"""The pages of helping: people's own, those of a desk, and the banner of who acts for somebody."""
