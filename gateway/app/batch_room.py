"""When a request of a batch may begin: nothing else runs, the hour is one of the owner's, and electricity is cheap."""

from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.core.target import TargetState
from gateway.pipeline.ports import LocalTarget
from gateway.settings.kept.batches import BatchesConfig


def batch_room(
    settings: BatchesConfig,
    local: Mapping[str, LocalTarget],
    *,
    now: Callable[[], datetime],
    price: Callable[[], float | None],
) -> Callable[[], bool]:
    """Return what says whether a request of a batch may begin now.

    Args:
        settings: What the owner allows.
        local: Targets at home.
        now: Returns the local time.
        price: Returns US dollars per kWh; a price that nobody knows is not cheap.
    """

    def room() -> bool:
        if settings.hours and now().hour not in settings.hours:
            return False
        if settings.price_up_to is not None:
            cost = price()
            if cost is None or cost > settings.price_up_to:
                return False
        return settings.when == "always" or not any(_busy(target.state()) for target in local.values())

    return room


def _busy(state: TargetState) -> bool:
    return bool(state.slots_busy or state.queue_depth)
