"""Training of the judge. The running gateway imports nothing of it; it needs the extra `train`."""
