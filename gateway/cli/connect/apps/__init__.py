"""The apps that `aduana connect` knows, each as data: what stands on its page in docs/apps/ stands here.

A test compares both. Must not read or write anything.
"""

from gateway.cli.connect.app import App
from gateway.cli.connect.apps.agents import AGENTS
from gateway.cli.connect.apps.editors import EDITORS
from gateway.cli.connect.apps.programs import PROGRAMS
from gateway.cli.connect.apps.services import SERVICES

APPS: dict[str, App] = {app.name: app for app in sorted(AGENTS + EDITORS + PROGRAMS + SERVICES, key=lambda a: a.name)}

__all__ = ["APPS"]
