"""A gateway under mixed load for an hour: whether its memory, descriptors or threads grow (`make soak`)."""
