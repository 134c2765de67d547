"""How large all models are loaded, what they need, and whether the limits can hold them. Imports little."""

from collections.abc import Mapping

import msgspec

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.models.eviction import MemoryLimits, describe, too_large, within


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Memory footprint of every model on this machine, by its target's name, and the limits for all of them.

    The settings are those of embedded targets, with numbers where the configuration says `auto`.
    """

    settings: Mapping[str, EmbeddedSettings]
    footprints: Mapping[str, MemoryFootprint]
    limits: MemoryLimits
    at_start: frozenset[str]

    def problems(self) -> list[str]:
        """Explain in sentences what can never be loaded, alone or together at start."""
        found = [
            f"targets.{name}: its model {too_large(footprint, self.limits)}"
            for name, footprint in self.footprints.items()
            if not within(self.limits, [footprint])
        ]
        together = {name: footprint for name, footprint in self.footprints.items() if name in self.at_start}
        if not found and not within(self.limits, list(together.values())):
            total = sum(footprint.total for footprint in together.values())
            found.append(
                f"engine: the models that load at start ({', '.join(sorted(together))}) need {total / 1e9:.1f} GB "
                f"together, and there are {describe(self.limits)}. Write 'load: on_demand' for some of them, or turn "
                "down what they need."
            )
        return found
