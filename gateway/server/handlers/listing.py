"""What is told about the models that a caller may ask for: one truth for the lists of all dialects."""

from collections.abc import Mapping

import msgspec

from gateway.core.errors import NotFound
from gateway.core.request import Caller
from gateway.core.target import Capability, Catalog, ModelTraits
from gateway.server.handlers.models import ModelReport, Models, TemplateText


class Listing:
    """View of the catalog as listings show it. Holds no state but its parts."""

    def __init__(self, catalog: Catalog, models: Models) -> None:
        self._catalog = catalog
        self._models = models

    def all(self, caller: Caller) -> Mapping[str, ModelTraits]:
        """Return every model name that this caller may ask for, with what it can do."""
        return {name: self._traits(name) for name in self._catalog.aliases if caller.may_use(name, name)}

    def one(self, caller: Caller, name: str) -> ModelTraits:
        """Return what a model can do, under any name under which this caller's requests are answered.

        Raises:
            NotFound: There is no such model for this caller.
        """
        alias = self._catalog.resolve(name)
        if alias is None or not name.isprintable() or not caller.may_use(name, alias.name):
            raise NotFound(f"The model {name[:100]!r} does not exist here.", code="model_not_found", param="model")
        return self._traits(alias.name)

    def running_here(self, name: str) -> ModelReport | None:
        """Return the first model on this machine that answers for a name; None: there is none."""
        alias = self._catalog.resolve(name)
        reports = self._models.report().models
        if alias is None:
            return None
        return next((one for one in reports if alias.targets is None or one.target in alias.targets), None)

    def template(self, target: str) -> TemplateText:
        """Return the chat template of a model on this machine."""
        return self._models.template(target)

    def _traits(self, name: str) -> ModelTraits:
        traits = self._catalog.traits(name)
        thinking = any(one.thinks for one in self._models.report().models if one.target in traits.targets)
        if not thinking:
            return traits
        return msgspec.structs.replace(traits, capabilities=traits.capabilities | {Capability.THINKING})
