"""The life of one request: inspect, decide, write the receipt, try the permitted targets, settle.

Owns the order of these steps and nothing else. Must not be configurable: no hook, middleware or option may leave a step
out.
"""

from gateway.core.route import Route
from gateway.pipeline.observers import Fanout
from gateway.pipeline.pipeline import Answer, Converted, DecidedQuestions, Embedded, Pipeline, Ranked
from gateway.pipeline.ports import CloudTarget, LedgerPort, LocalTarget, Observer, PolicySource, Pricing, TaintPort

__all__ = [
    "Answer",
    "CloudTarget",
    "Converted",
    "DecidedQuestions",
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
