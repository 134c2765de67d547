"""The composition root: the one room that knows all concrete classes, and wires them together."""

from gateway.app.wiring import Gateway, running, serve

__all__ = ["Gateway", "running", "serve"]
