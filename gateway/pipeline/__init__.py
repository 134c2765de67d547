"""The life of one request: inspect, decide, write the receipt, try the permitted targets, settle.

This package owns the order of those steps and nothing else. There is no hook, middleware or option by which a step
could be left out.
"""

from gateway.pipeline.fanout import Fanout
from gateway.pipeline.life import Answer, Embedded, Pipeline, Ranked, Route
from gateway.pipeline.parts import CloudTarget, LedgerPort, LocalTarget, Observer, PolicySource, Pricing, TaintPort

__all__ = [
    "Answer",
    "CloudTarget",
    "Embedded",
    "Fanout",
    "LedgerPort",
    "LocalTarget",
    "Observer",
    "Pipeline",
    "PolicySource",
    "Pricing",
    "Ranked",
    "Route",
    "TaintPort",
]
