"""HTTP: routes, keys, request bodies, streaming to clients, the shapes of errors.

Owns the listening socket and the limits on clients. Must not decide where a request goes, read a policy, or know a
target's class: all it does with a request is hand it to the pipeline.
"""

from gateway.server.auth import HostGuard, KeyRing
from gateway.server.bodies import BodyReader
from gateway.server.endpoint import HttpEndpoint
from gateway.server.handlers.batches import Batches
from gateway.server.handlers.models import ModelReport, Models, ModelsReport, TemplateText
from gateway.server.handlers.operations import Operations, Readiness
from gateway.server.handlers.routes import build_application
from gateway.server.inbound import InboundBuilder
from gateway.server.listener import Listener

__all__ = [
    "Batches",
    "BodyReader",
    "HostGuard",
    "HttpEndpoint",
    "InboundBuilder",
    "KeyRing",
    "Listener",
    "ModelReport",
    "Models",
    "ModelsReport",
    "Operations",
    "Readiness",
    "TemplateText",
    "build_application",
]
