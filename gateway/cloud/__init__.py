"""Targets in the cloud zone: the provider's client (the only `openai`) and the last check before the wire.

Must not take a request: a target takes a clearance and nothing else. Must not send anything without one, not even a
probe.
"""

from gateway.cloud.settings import CloudSettings
from gateway.cloud.target import CloudTarget

__all__ = ["CloudSettings", "CloudTarget"]
