"""The console, wired together: its views with the parts of the running gateway that they show. No logic of its own."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from gateway.app.keys.key_store import KeyStore
from gateway.app.policy_store import PolicyStore
from gateway.app.room_settings import LOOPBACK
from gateway.app.state.ledger_place import ledger_place
from gateway.app.targets import Targets
from gateway.app.workers.member import Member
from gateway.console.console import Console
from gateway.console.door import Door
from gateway.console.files import GUIDE
from gateway.console.live import LiveRequests
from gateway.console.sessions import Sessions
from gateway.console.views.chat import Chat, ChatRequests
from gateway.console.views.guide import Guide
from gateway.console.views.health import Health
from gateway.console.views.keys import KeyLine, KeyList
from gateway.console.views.login import Login, Logout
from gateway.console.views.models import ModelAction, ModelList
from gateway.console.views.overview import Overview
from gateway.console.views.policy import PolicyView
from gateway.console.views.request import RequestDetail
from gateway.console.views.requests import RequestList
from gateway.console.views.savings import Savings
from gateway.console.views.trial import Trial
from gateway.console.words import Words
from gateway.core.request import Caller
from gateway.core.target import Catalog
from gateway.ledger import History, Ledger
from gateway.ledger.ledger import zone_of
from gateway.ledger.reading.recorded import newest_recorded
from gateway.observe import EnergySampler
from gateway.observe.long_work import LongWork
from gateway.pipeline.rate_limits import UsedLimit
from gateway.policy import Explanation
from gateway.server import BodyReader, HostGuard, HttpEndpoint, Readiness
from gateway.server.inbound import new_request_id
from gateway.settings import Settings
from gateway.wire import openai

_ENTRANCE_BYTES = 16 * 1024  # of a form with a key
MakeConsole = Callable[[HostGuard, HttpEndpoint], Console]


def console_of(
    settings: Settings,
    catalog: Catalog,
    *,
    live: LiveRequests,
    targets: Targets,
    ledger: Ledger,
    sampler: EnergySampler,
    policies: PolicyStore,
    keys: KeyStore,
    problems: Callable[[], tuple[str, ...]],
    attachments: Callable[[], str],
    long_work: LongWork,
    readiness: Callable[[], Readiness],
    recorded: Callable[[str], str | None],
    limits: Callable[[], Sequence[UsedLimit]],
    sessions: Sessions,
) -> MakeConsole:
    """Return what makes the console once its guard and the way to the pipeline are there.

    `problems` says what is wrong, in sentences, `long_work` how far that is, `recorded` how a user is written down, and
    `limits` what is used of each.
    """
    place = ledger_place(settings)
    past = History(place)
    zone = zone_of(settings.timezone)
    models = tuple(catalog.aliases)

    def made(guard: HostGuard, endpoint: HttpEndpoint) -> Console:
        door = Door(guard=guard, keys=keys.ring, sessions=sessions, own_machine=settings.server.host in LOOPBACK)
        login = Login(door)
        trial = Trial(_Explainer(endpoint), models)
        policy = PolicyView(policies, partial(newest_recorded, place))
        return Console(
            door=door,
            bodies=BodyReader(max_bytes=settings.server.max_body_bytes, seconds=settings.server.body_seconds),
            entrance=BodyReader(max_bytes=_ENTRANCE_BYTES, seconds=settings.server.body_seconds),
            views={
                "overview": Overview(
                    catalog=catalog,
                    live=live,
                    states=targets.states,
                    budgets=ledger.budgets,
                    readings=sampler.readings,
                    problems=problems,
                    attachments=attachments,
                    running=long_work.running,
                    savings=past.savings,
                    reference_model=settings.prices.reference_model,
                ),
                "savings": Savings(
                    past,
                    reference_model=settings.prices.reference_model,
                    hardware_usd=settings.energy.hardware_usd,
                    zone=zone,
                ),
                "requests": RequestList(
                    past, targets=tuple(catalog.targets), keys=lambda: _names(settings, keys), recorded=recorded
                ),
                "request": RequestDetail(past, lambda: policies.current),
                "trial": trial,
                "chat": Chat(models),
                "models": ModelList(targets.models),
                "policy": policy,
                "keys": KeyList(lambda: _key_lines(settings, keys), past, ledger.budgets, limits),
                "health": Health(readiness=readiness, states=targets.states, catalog=catalog),
                "guide": Guide(GUIDE),
                "login": login,
            },
            actions={
                "login": login,
                "logout": Logout(),
                "trial": trial,
                "load": ModelAction(targets.models, load=True),
                "unload": ModelAction(targets.models, load=False),
                "policy": policy,
            },
            chat=ChatRequests(door, endpoint),
            currency=settings.prices.currency,
            rate=settings.prices.usd_rate,
            zone=zone,
            footer=lambda words: _footer(words, policies, keys),
        )

    return made


def sessions_of(worker: Member | None) -> Sessions:
    """Return the sessions of people who sign in: of several workers all know each other's."""
    if worker is None:
        return Sessions()
    sessions = Sessions(secret=worker.secret, ended=worker.ended, tell_ended=worker.tell_ended)
    worker.on_ended = sessions.ended
    return sessions


class _Explainer:
    """Maker of explanations, by the pipeline that would answer."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        self._endpoint = endpoint

    async def explain(self, caller: Caller, body: bytes, tags: frozenset[str]) -> Explanation:
        """Return the whole decision about a chat request, and send it nowhere.

        Raises:
            AduanaError: The request can't be read, or the caller may not ask this.
        """
        request = await asyncio.to_thread(openai.parse_chat, body, "")
        inbound = self._endpoint.typed(new_request_id(), caller, request, len(body), tags)
        return await self._endpoint.explanation(inbound)


def _key_lines(settings: Settings, keys: KeyStore) -> tuple[KeyLine, ...]:
    configured = [
        KeyLine(
            name=name,
            user=key.user,
            source=key.secret.partition(":")[0],
            tags=tuple(sorted(key.tags)),
            models=None if key.models is None else tuple(sorted(key.models)),
            admin=key.admin,
            metrics=key.metrics,
            front_end=key.front_end,
        )
        for name, key in settings.keys.items()
    ]
    stored = [
        KeyLine(
            name=key.name,
            user=key.user,
            source="ledger",
            tags=tuple(sorted(key.tags)),
            models=None if key.models is None else tuple(sorted(key.models)),
            admin=key.admin,
            metrics=key.metrics,
            front_end=key.front_end,
            limits=key.limits,
            expires_at=key.expires_at,
            revoked=key.revoked_at is not None,
        )
        for key in keys.stored
        if key.name not in settings.keys
    ]
    return (*configured, *stored)


def _names(settings: Settings, keys: KeyStore) -> tuple[str, ...]:
    stored = tuple(key.name for key in keys.stored if key.name not in settings.keys)
    open_to_all = not (settings.keys or stored) or settings.server.anonymous
    return (*settings.keys, *settings.users.providers, *stored, *(("anonymous",) if open_to_all else ()))


def _footer(words: Words, policies: PolicyStore, keys: KeyStore) -> tuple[str, ...]:
    said = [words.say("policy {digest}", digest=policies.current.digest[:12])]
    if keys.renewed_at is not None:
        moment = f"{datetime.fromtimestamp(keys.renewed_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        said.append(words.say("keys renewed {moment}", moment=moment))
    return tuple(said)
