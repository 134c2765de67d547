"""aiohttp: routes, authentication, bodies, streaming to clients, error shapes. Decides nothing about routing."""

from gateway.server.access import Access, KeyRing
from gateway.server.bodies import BodyReader
from gateway.server.front import Front
from gateway.server.identity import Identifier
from gateway.server.listen import Listener
from gateway.server.models import ModelReport, Models, ModelsReport
from gateway.server.operations import Operations, Readiness
from gateway.server.routes import build_application

__all__ = [
    "Access",
    "BodyReader",
    "Front",
    "Identifier",
    "KeyRing",
    "Listener",
    "ModelReport",
    "Models",
    "ModelsReport",
    "Operations",
    "Readiness",
    "build_application",
]
