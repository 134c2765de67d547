"""Prometheus metrics: what events feed, what is asked for at each scrape, and the text format.

Owns the counters. Label values are words of the configuration: must not put anything that a client sent on a metric.
"""
