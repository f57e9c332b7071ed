"""What the rights are made of: requests and their states, retention, the register."""
