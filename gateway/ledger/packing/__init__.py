"""What makes records small: facts deflated with what they have in common, and words that are kept once."""
