"""Limits of keys, users, tags and targets: who is limited by what, and what of it is used now, by memory alone.

Owns the counts of requests and tokens. Money is the ledger's. Must not wait for anything: looking and taking are one
step, so that many requests at once can't take the same place.
"""

from gateway.pipeline.rate_limits.limiter import RateLimiter, UsedLimit
from gateway.pipeline.rate_limits.meter import Need
from gateway.pipeline.rate_limits.needs import need_of
from gateway.pipeline.rate_limits.table import Limited, LimitTable

__all__ = ["LimitTable", "Limited", "Need", "RateLimiter", "UsedLimit", "need_of"]
