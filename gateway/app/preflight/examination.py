"""The examination without a start, for commands: what `serve` would refuse, and what it would only warn of."""

import asyncio

from gateway.app.models.plan import holding
from gateway.app.models.starter import missing_starter
from gateway.app.preflight.files import extra_warnings
from gateway.app.preflight.models import model_warnings
from gateway.app.preflight.people import front_end_warnings
from gateway.app.preflight.preflight import prepared
from gateway.local.embedded.models.plan import ModelPlan
from gateway.settings import Settings


def examined(settings: Settings, *, running: bool) -> list[str]:
    """Return what the gateway would start with, though a target can't answer then, with the place of each setting.

    Args:
        settings: The whole configuration.
        running: A gateway runs with it already, and holds its ports.

    Raises:
        ConfigurationError: It would not start.
    """
    missing = missing_starter(settings)  # is unpacked by a start; what it needs is not known before
    known = {name: target for name, target in settings.targets.items() if name not in missing}
    whole = settings.model_copy(update={"targets": known}) if missing else settings

    async def plan() -> ModelPlan:
        return await asyncio.to_thread(holding, whole)

    clouds = settings.egress.process != "unit"  # another user's keys can't be read from here

    async def models() -> ModelPlan:
        return (await prepared(settings, plan, resolve=True, ports=not running, clouds=clouds)).models

    return warnings_of(settings, asyncio.run(models()))


def warnings_of(settings: Settings, models: ModelPlan) -> list[str]:
    """Return what does not work as it is configured and stops no start, with the place of each setting."""
    found = (*extra_warnings(settings), *model_warnings(models), *front_end_warnings(settings))
    return [settings.places.sentence(one) for one in found]
