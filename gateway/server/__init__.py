"""aiohttp: routes, authentication, bodies, streaming to clients, error shapes. Decides nothing about routing."""

from gateway.server.access import Access, KeyRing
from gateway.server.listen import Listener
from gateway.server.routes import Operations, build_application

__all__ = ["Access", "KeyRing", "Listener", "Operations", "build_application"]
