"""How large all embedded models are loaded, what they need, and whether the limits can hold them. Imports little."""

from collections.abc import Mapping

import msgspec

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.embedded.models.eviction import MemoryLimits, describe, too_large, within
from gateway.local.embedded.settings import EmbeddedSettings


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Settings and memory footprint of every embedded target, by its name, and the limits for all of them.

    The settings have numbers where the configuration says `auto`.
    """

    settings: Mapping[str, EmbeddedSettings]
    footprints: Mapping[str, MemoryFootprint]
    limits: MemoryLimits

    def problems(self) -> list[str]:
        """Explain in sentences what can never be loaded, alone or together at start."""
        found = [
            f"targets.{name}: its model {too_large(footprint, self.limits)}"
            for name, footprint in self.footprints.items()
            if not within(self.limits, [footprint])
        ]
        together = {
            name: footprint for name, footprint in self.footprints.items() if self.settings[name].load == "start"
        }
        if not found and not within(self.limits, list(together.values())):
            total = sum(footprint.total for footprint in together.values())
            found.append(
                f"engine: the models that load at start ({', '.join(sorted(together))}) need {total / 1e9:.1f} GB "
                f"together, and there are {describe(self.limits)}. Write 'load: on_demand' for some of them, or turn "
                "down what they need."
            )
        return found
