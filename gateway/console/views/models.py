"""The models on this machine: which are in memory, how much of it they take; load one, unload one."""

import asyncio

from gateway.console.door import require_administrator
from gateway.console.views.view import Ask, Moved, Shown
from gateway.core.errors import NotFound
from gateway.server import Models

_LONGEST_LOAD = 600.0  # seconds
_ADDRESS = "/console/models"


class ModelList:
    """The view of the models."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def show(self, ask: Ask) -> Shown:
        """Return the page."""
        report = self._models.report()
        return Shown(template="models.html", title="Models", values={"report": report})


class ModelAction:
    """Action of a model's button: load it, or unload it."""

    def __init__(self, models: Models, *, load: bool) -> None:
        self._models = models
        self._load = load

    async def act(self, ask: Ask) -> Shown | Moved:
        """Load or unload a model, and return to the list when that is done.

        Raises:
            AduanaError: It can't be done now.
            Forbidden: The key is not an administrator's.
            NotFound: There is no such model.
            Unauthorized: A key is needed.
        """
        require_administrator(ask.visitor)
        target = ask.path["target"]
        if target not in {model.target for model in self._models.report().models}:
            raise NotFound("There is no such model on this machine.", code="model_not_found")
        if self._load:
            await self._models.load(target, asyncio.get_running_loop().time() + _LONGEST_LOAD)
        else:
            await self._models.unload(target)
        return Moved(to=_ADDRESS)
