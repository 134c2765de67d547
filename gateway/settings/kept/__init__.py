"""Sections about what is kept: the record of requests, stored responses, files and batches."""
