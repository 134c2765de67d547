"""The examination before a start, in one place for `serve`, `check` and `doctor`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from gateway.app.models.engine import engine_problems
from gateway.app.models.plan import catalog_of
from gateway.app.models.settings import about
from gateway.app.models.starter import starter_problems
from gateway.app.preflight.certificate import certificate_problems
from gateway.app.preflight.files import file_problems
from gateway.app.preflight.network import address_problems, exposure, port_problems
from gateway.app.preflight.secrets import secret_problems
from gateway.app.preflight.state import state_problems
from gateway.app.preflight.workers import worker_problems
from gateway.app.room_settings import price_settings, priced_targets
from gateway.core.errors import ConfigurationError
from gateway.core.target import Catalog
from gateway.local.embedded.models.plan import ModelPlan
from gateway.observe import Prices
from gateway.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Products of the examination, for a start to go on with."""

    models: ModelPlan
    catalog: Catalog
    prices: Prices


async def prepared(
    settings: Settings,
    plan: Callable[[], Awaitable[ModelPlan]],
    *,
    resolve: bool = False,
    ports: bool = True,
    clouds: bool = True,
) -> Prepared:
    """Examine a configuration, and return what was made of it.

    Args:
        settings: The whole configuration.
        plan: Returns the sizes of all models.
        resolve: Whether names of servers at home are looked up; a start does that by itself a moment later.
        ports: Whether the ports must be free; where the system hands over open sockets, none is needed.
        clouds: Whether the clouds' keys are read. INVARIANT: the gateway's own process never reads a key that only the
            egress process is to have.

    Raises:
        ConfigurationError: The gateway would not start. It has every problem that was found.
    """
    resolving = asyncio.create_task(address_problems(settings, resolve=resolve))
    problems = await asyncio.to_thread(_problems, settings, ports, clouds)
    problems += await resolving
    models: ModelPlan | None = None
    try:
        models = await plan()
    except ConfigurationError as error:
        problems += error.problems
    made: Prepared | None = None
    try:
        made = await asyncio.to_thread(_made, settings, models)
    except ConfigurationError as error:
        problems += error.problems
    if problems or made is None:
        raise ConfigurationError(tuple(dict.fromkeys(problems)))
    return made


def _problems(settings: Settings, ports: bool, clouds: bool) -> list[str]:
    parts: Iterable[Iterable[str]] = (
        worker_problems(settings),
        exposure(settings),
        port_problems(settings) if ports else (),
        state_problems(settings),
        secret_problems(settings, clouds=clouds),
        certificate_problems(settings),
        engine_problems(settings),
        starter_problems(settings),
        file_problems(settings),
    )
    return [problem for part in parts for problem in part]


def _made(settings: Settings, models: ModelPlan | None) -> Prepared | None:
    """Build what takes a moment; None where the models are not known.

    Raises:
        ConfigurationError: A price or a list of prices can't be used.
    """
    catalog = catalog_of(settings, models) if models is not None else settings.catalog()
    with about("prices"):
        prices = Prices(price_settings(settings), priced_targets(settings, catalog))
    return None if models is None else Prepared(models=models, catalog=catalog, prices=prices)
