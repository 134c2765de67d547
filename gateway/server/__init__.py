"""aiohttp: routes, authentication, bodies, streaming to clients, error shapes. Decides nothing about routing."""

from gateway.server.auth import HostGuard, KeyRing
from gateway.server.bodies import BodyReader
from gateway.server.endpoint import HttpEndpoint
from gateway.server.handlers.models import ModelReport, Models, ModelsReport
from gateway.server.handlers.operations import Operations, Readiness
from gateway.server.handlers.routes import build_application
from gateway.server.inbound import InboundBuilder
from gateway.server.listener import Listener

__all__ = [
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
    "build_application",
]
