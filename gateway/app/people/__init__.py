"""The people behind requests: what the configuration says of them, and the parts that know them, wired together."""
