"""A short list of models that are known to fit common cards, with their shapes, so that they can be planned for.

The list is `known_models.json`, with its date; each model names the page that it is from.
"""

from collections.abc import Mapping
from importlib.resources import files

import msgspec


class KnownModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Model of the list. `bytes`: of its file; `parameters` and `active` count weights, in all and read for a token."""

    name: str
    title: str
    cards: str
    """The memory that suits it, in words."""
    good_for: str
    repository: str
    quantisation: str
    bytes: int
    licence: str
    parameters: float
    active: float
    cloud: str
    """What a price list calls the same model in a cloud; empty: none offers it."""
    source: str
    shape: Mapping[str, int | str]
    """What a GGUF header says of it, as far as memory depends on it."""

    @property
    def read_share(self) -> float:
        """Return the part of the weights that is read for a token: less than all where there are experts."""
        return self.active / self.parameters

    @property
    def reference(self) -> str:
        """Return what `aduana models pull` takes."""
        return f"{self.repository}:{self.quantisation}"


class KnownModels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The list, and the day on which it was put together."""

    date: str
    about: str
    models: tuple[KnownModel, ...]

    def named(self, name: str) -> KnownModel | None:
        """Return the model of that name, whatever the case; None: it is not in the list."""
        return next((model for model in self.models if model.name == name.lower()), None)


def known_models() -> KnownModels:
    """Return the list that is shipped."""
    text = (files("gateway.setup") / "known_models.json").read_bytes()
    return msgspec.json.decode(text, type=KnownModels)
