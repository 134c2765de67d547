"""Targets in the cloud zone. They take a clearance and nothing else; nothing is sent without one, not even a probe."""

from gateway.cloud.settings import CloudSettings
from gateway.cloud.target import CloudTarget

__all__ = ["CloudSettings", "CloudTarget"]
