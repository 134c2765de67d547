"""Prometheus metrics: what events feed, what is scraped, and the text format.

Label values are words of the configuration. Must not put anything that a client sent on a metric.
"""
