"""What commands ask of inspection about a single request, with the inspection that the gateway itself would run."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from gateway.app.conversation_key import KEY_FILE, load_conversation_key
from gateway.app.inspection import running_inspection
from gateway.app.models.plan import holding
from gateway.app.state.ledger_place import ledger_place
from gateway.app.targets import Targets
from gateway.core.document import thaw
from gateway.core.errors import TargetUnavailable
from gateway.core.labels import Zone
from gateway.core.outbound import outbound_document
from gateway.core.request import Inbound
from gateway.core.snapshot import Snapshot
from gateway.ledger import FILE_NAME, TaintReader
from gateway.local.speech.target import SpeechTarget
from gateway.observe.logs import configure
from gateway.pipeline import LocalTarget
from gateway.pipeline.attachments import Attached
from gateway.pipeline.attachments.memory import as_remembered
from gateway.pipeline.inspection import RequestInspection
from gateway.pipeline.masking import Masker, Outgoing
from gateway.pipeline.memory.taint import ConversationTaint
from gateway.pipeline.ports import Recollection
from gateway.policy import Evidence, Policy, decide, foresee, overridden
from gateway.privacy.taint.scope import BetweenKeys
from gateway.settings import Settings
from gateway.settings.targets import SpeechTargetConfig

_LOAD_SECONDS = 300.0


@asynccontextmanager
async def _request_inspection(settings: Settings, *, judge: bool) -> AsyncGenerator[RequestInspection, None]:
    """Start the gateway's own inspection, wait until it has loaded its models, and stop it when the context ends."""
    configure(level="error")
    async with AsyncExitStack() as stack:
        judges = await _judges(settings, stack) if judge else None
        ears = _ears(settings, stack)
        inspection = await stack.enter_async_context(running_inspection(settings, judges, ears=ears))
        if inspection.recognition is not None:
            await inspection.recognition.loaded()
        yield inspection.requests


async def _judges(settings: Settings, stack: AsyncExitStack) -> Mapping[str, LocalTarget]:
    """Start the one target that judges topics and load its model, before its time for an answer runs."""
    configured = settings.inspection.topics
    if configured is None:
        return {}
    name = configured.target
    targets = _alone(settings, name)
    await targets.start()
    stack.push_async_callback(targets.close)
    if name in targets.embedded:
        with suppress(TargetUnavailable):  # then the judgement fails, and the explanation says so
            await targets.embedded[name].load(asyncio.get_running_loop().time() + _LOAD_SECONDS)
    return targets.local


def _ears(settings: Settings, stack: AsyncExitStack) -> tuple[SpeechTarget, ...]:
    """Return the target that hears recordings; its model is loaded for the first of them."""
    name = next((name for name, one in settings.targets.items() if isinstance(one, SpeechTargetConfig)), None)
    if name is None:
        return ()
    targets = _alone(settings, name)
    stack.push_async_callback(targets.close)
    return tuple(targets.hearing.values())


def _alone(settings: Settings, name: str) -> Targets:
    """Return one of the targets, not started yet."""
    alone = settings.model_copy(update={"targets": {name: settings.targets[name]}})
    return Targets(alone, settings.catalog(), holding(alone), on_violation=lambda _: None, on_worker=lambda _: None)


def inspected(
    settings: Settings, inbound: Inbound, snapshot: Snapshot, policy: Policy, *, judge: bool = False
) -> Evidence:
    """Inspect a request as the gateway would under this policy, and return what a decision about it rests on."""

    async def look() -> Evidence:
        async with _request_inspection(settings, judge=judge) as request_inspection:
            found = await request_inspection.examine(inbound.request, inbound.size, letters=False)
            attached = await request_inspection.attachments.found(inbound.request, found, inbound.size)
            attached = await request_inspection.read(attached)
            found = (await _recalled(settings, inbound, attached)).joined(found)
            evidence = Evidence(inbound=inbound, inspection=found, snapshot=snapshot)
            evidence, _, _ = await request_inspection.decided(evidence, policy, attached)
            return evidence

    return asyncio.run(look())


async def _recalled(settings: Settings, inbound: Inbound, attached: Attached) -> Recollection:
    """Look a request and its attachments up in the memory of sensitive conversations, where there is one.

    Raises:
        LedgerUnavailable: It can't be read.
        ConfigurationError: Its key can't be read.
    """
    folder = settings.state_dir
    known = settings.ledger.database is not None or (folder / FILE_NAME).is_file()
    if not (folder / KEY_FILE).is_file() or not known:
        return Recollection()
    between = BetweenKeys(settings.inspection.memory.between_keys)
    taint = ConversationTaint(TaintReader(ledger_place(settings)), load_conversation_key(folder), between)
    return await taint.recall(inbound, as_remembered(inbound.request, attached))


def masked_document(settings: Settings, evidence: Evidence, policy: Policy, *, judge: bool = False) -> object | None:
    """Return what the first cloud target would get of a request that goes out masked; None: it does not.

    For the eyes of whoever owns the request. Nothing is kept: another time the pseudonyms are others.
    """
    first = decide(evidence, policy)
    if foresee(first, evidence, policy) is None:
        return None

    async def attempt() -> Outgoing | None:
        async with _request_inspection(settings, judge=judge) as request_inspection:
            masker = Masker(examine=request_inspection.examine_fully)
            return await masker.attempt(first, evidence, policy, keep=False)

    outgoing = asyncio.run(attempt())
    if outgoing is None:
        return None
    target = next(candidate.target for candidate in outgoing.decision.candidates if candidate.zone is Zone.CLOUD)
    request = overridden(outgoing.request, outgoing.decision.overrides)
    return thaw(outbound_document(request, policy.catalog.targets[target]))
