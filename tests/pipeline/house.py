"""A pipeline with real policy and fake everything else, which remembers all that happened."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from gateway.core.delta import Delta, Embeddings, Finish, FinishReason, Text, UsageReport
from gateway.core.errors import AduanaError, LedgerUnavailable, TargetBusy
from gateway.core.events import Event
from gateway.core.finding import Finding, Inspection, Trace, TraceKind
from gateway.core.labels import Label, Zone
from gateway.core.limits import Claim, Full, Use
from gateway.core.record import Receipt, Reservation, Settlement, Whose
from gateway.core.request import Caller, ChatRequest, Dialect, EmbeddingsRequest, Inbound, Message
from gateway.core.target import Alias, Capability, Catalog, TargetInfo, TargetState
from gateway.core.usage import MostUse, Usage
from gateway.ledger.encryption import Seal
from gateway.ledger.masking import MaskRecord
from gateway.pipeline import Fanout, Pipeline
from gateway.pipeline.attachments import AttachmentReader, Attachments, AttachmentSettings
from gateway.pipeline.attachments.carried import Carriers
from gateway.pipeline.dispatch import Dispatcher
from gateway.pipeline.inspection import Names, RequestInspection, Topics
from gateway.pipeline.masking import Examine, Masker
from gateway.pipeline.ports import AttachedText, Inspecting, Recollection, TaintPort
from gateway.pipeline.rate_limits import LimitTable, RateLimiter
from gateway.pipeline.settlement import SettlementWriter
from gateway.pipeline.shadow import Shadows
from gateway.pipeline.snapshot import SnapshotBuilder
from gateway.policy import Policy, Sensitivity, load_policy

POLICY = """
version: 1
labels:
  default: internal
  tags: {health: sensitive, public: public}
  findings: {secret: sensitive}
rules:
  - {name: cloud first, when: {tags: {in: [public]}}, prefer: [big, spare, home]}
otherwise: {prefer: [home, big]}
"""
USAGE = Usage(input=7, output=2)
ANSWER: tuple[Delta, ...] = (
    Text(text="Hello"),
    Text(text=" you"),
    Finish(reason=FinishReason.STOP),
    UsageReport(usage=USAGE),
)


class FakeTarget:
    """Target that plays one script: deltas are yielded, an exception is raised, an event is waited for."""

    def __init__(self, name: str, zone: Zone, script: Sequence[object] = ANSWER) -> None:
        ceiling = Label.PUBLIC if zone is Zone.CLOUD else Label.SENSITIVE
        self.info = TargetInfo(
            name=name,
            kind="fake",
            zone=zone,
            ceiling=ceiling,
            model=f"{name}-1",
            capabilities=frozenset(Capability),
        )
        self.script = script
        self.asked: list[object] = []
        self.on_ask: Callable[[], None] = lambda: None
        self.open = 0
        self.full: TargetBusy | None = None  # how it refuses everybody, while its queue is full
        self.doing = TargetState()

    def room(self, isolation: str) -> None:
        """It limits nobody."""

    def refusal(self, request: object, **_: object) -> TargetBusy | None:
        return self.full

    def state(self) -> TargetState:
        return self.doing

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def prompt_tokens(self, request: object, *, isolation: str = "") -> int | None:
        return None

    async def generate(self, asked: object, **_: object) -> AsyncGenerator[Delta, None]:
        self.asked.append(asked)
        self.on_ask()
        self.open += 1
        try:
            for step in self.script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                    continue
                yield step  # type: ignore[misc]
        finally:
            self.open -= 1

    async def embed(self, asked: object, **_: object) -> Embeddings:
        self.asked.append(asked)
        if isinstance(self.script[0], BaseException):
            raise self.script[0]
        return Embeddings(vectors=((1.0,),), usage=Usage(input=1))


class FakeLedger:
    """Ledger in memory that keeps the records; it refuses them when told to, and can be made to wait."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.reservations: list[Reservation] = []
        self.settlements: list[Settlement] = []
        self.broken = False
        self.gate: asyncio.Event | None = None
        self.waiting = asyncio.Event()
        self.left: dict[str, int] = {}  # micro-dollars of a day's budget for each target; without: no limit
        self.full: dict[str, tuple[str, float]] = {}  # key or target → a shared limit without room, and for how long
        self.claims: list[Claim] = []

    def _denied(self, reservation: Reservation | None) -> str | Full | None:
        for claim in reservation.claims if reservation is not None else ():
            self.claims.append(claim)
            if claim.name in self.full:
                kind, wait = self.full[claim.name]
                return Full(scope=claim.scope, name=claim.name, kind=kind, limit=5, used=5, wait=wait)
        left = self.left.get(reservation.target) if reservation is not None else None
        return "day" if reservation is not None and left is not None and reservation.micros > left else None

    def receive(self, receipt: Receipt, reservation: Reservation | None) -> "asyncio.Future[str | Full | None]":
        return asyncio.ensure_future(self._received(receipt, reservation))

    async def _received(self, receipt: Receipt, reservation: Reservation | None) -> str | Full | None:
        self.waiting.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.broken:
            raise LedgerUnavailable("The disk is full.")
        self.receipts.append(receipt)
        return self._denied(reservation)

    async def reserve(self, request_id: str, reservation: Reservation) -> str | Full | None:
        if self.broken:
            raise LedgerUnavailable("The disk is full.")
        if denied := self._denied(reservation):
            return denied
        self.reservations.append(reservation)
        return None

    def settle(self, settlement: Settlement) -> "asyncio.Future[None]":
        self.settlements.append(settlement)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def refuse(self, receipt: Receipt, settlement: Settlement) -> None:
        await self.receive(receipt, None)
        await self.settle(settlement)

    def budgets_of(self, key: str, accounts: object) -> MappingProxyType[str, object]:
        return MappingProxyType({})


class FakeAnswerMemory:
    """Memory of one answer that notes what came, and when it ended."""

    def __init__(self, taint: "FakeTaint") -> None:
        self._taint = taint
        self._text = ""

    async def ahead(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        async for delta in deltas:
            self._text += delta.text if isinstance(delta, Text) else ""
            yield delta

    async def end(self) -> None:
        if self._taint.broken_end:
            raise LedgerUnavailable("The disk is full.")
        self._taint.answers.append(self._text)


class FakeTaint:
    """Memory of conversations that remembers nothing, or fails."""

    def __init__(self) -> None:
        self.tainted = False
        self.broken = False
        self.broken_end = False
        self.known: frozenset[str] | None = None
        self.remembered: list[Sensitivity] = []
        self.causes_seen: list[frozenset[str] | None] = []
        self.answers: list[str] = []
        self.gone: list[str] = []
        self.attached: list[AttachedText] = []

    async def recall(self, inbound: Inbound, attached: Sequence[AttachedText] = ()) -> Recollection:
        if self.broken:
            raise LedgerUnavailable("The disk is full.")
        if not self.tainted:
            return Recollection()
        trace = Trace(kind=TraceKind.CONVERSATION, path="$.messages[0]")
        return Recollection(traces=(trace,), turn=1, causes=self.known)

    async def remember_attached(self, inbound: Inbound, attached: Sequence[AttachedText]) -> None:
        self.attached += attached

    async def remember(
        self,
        inbound: Inbound,
        why: Sensitivity,
        recalled: Recollection,
        causes: frozenset[str] | None = None,
        attached: Sequence[AttachedText] = (),
    ) -> None:
        self.remembered.append(why)
        self.attached += attached
        self.causes_seen.append(causes)

    def answering(self, inbound: Inbound, causes: frozenset[str] | None = None) -> FakeAnswerMemory:
        return FakeAnswerMemory(self)

    async def left(self, inbound: Inbound) -> None:
        self.gone.append(inbound.id)


class FakeMasks:
    """Store that keeps sealed mappings; it refuses them when told to, and can be made to wait."""

    def __init__(self) -> None:
        self.kept: dict[bytes, tuple[bytes, bytes]] = {}
        self.broken = False
        self.writes = 0

    async def mask_lookup(self, hashes: Sequence[bytes]) -> MaskRecord | None:
        last = next((item for item in reversed(hashes) if item in self.kept), None)
        if last is None:
            return None
        name, sealed = self.kept[last]
        return MaskRecord(name=name, sealed=sealed, day=0, links=frozenset(self.kept))

    async def mask_remember(self, name: bytes, sealed: bytes, hashes: Sequence[bytes], whose: Whose) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise LedgerUnavailable("The disk is full.")
        self.writes += 1
        self.kept.update(dict.fromkeys(hashes, (name, sealed)))


class FakeInspector:
    """Inspector that finds a secret where the word SECRET stands."""

    def inspect(self, document: object, media: object = frozenset(), *, letters: bool = True) -> Inspection:
        if "SECRET" not in str(document):
            return Inspection()
        found = Finding(detector="fake", category="secret.token", path="$", start=0, end=6, confidence=1.0)
        return Inspection(findings=(found,))


class FreePricing:
    """Prices of nothing: money is not the subject here."""

    def cost(self, target: str, usage: Usage) -> int:
        return usage.prompt_tokens + usage.completion_tokens

    def avoided(self, target: str, usage: Usage) -> int | None:
        return 10

    def estimate(self, target: str, most: MostUse) -> int | None:
        return 100


class FixedPolicy:
    """A policy that does not change."""

    def __init__(self, policy: Policy) -> None:
        self.current = policy
        self.candidate: Policy | None = None


class Heard:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def on(self, event: Event) -> None:
        self.events.append(event)


class House:
    """A pipeline and everything around it."""

    def __init__(
        self,
        inspector: Inspecting | None = None,
        policy: str = POLICY,
        *,
        names: Names | None = None,
        topics: Topics | None = None,
        masker: Callable[[Examine], Masker] | None = None,
        taint: TaintPort | None = None,
        reader: AttachmentReader | None = None,
        attachments: AttachmentSettings = AttachmentSettings(),  # noqa: B008 - frozen
        home: Mapping[str, object] = MappingProxyType({}),
        carriers: Carriers | None = None,
        limits: LimitTable = LimitTable(),  # noqa: B008 - frozen
        elsewhere: Callable[[Claim], Use | None] | None = None,
    ) -> None:
        self.home = FakeTarget("home", Zone.LOCAL)
        self.home.info = msgspec.structs.replace(self.home.info, **home)
        self.big = FakeTarget("big", Zone.CLOUD)
        self.spare = FakeTarget("spare", Zone.CLOUD)
        self.ledger = FakeLedger()
        self.taint = FakeTaint()
        self.heard = Heard()
        self.inspector = inspector or FakeInspector()
        self.masks = FakeMasks()
        self.failed: list[str] = []
        targets = {target.info.name: target for target in (self.home, self.big, self.spare)}
        catalog = Catalog(
            targets={name: target.info for name, target in targets.items()},
            aliases={"auto": Alias(name="auto")},
            unknown_model=None,
            clean_attachments_leave=bool(attachments.may_leave),
        )
        fanout = Fanout({"heard": self.heard}, lambda name, error: self.failed.append(name))
        self.fanout = fanout
        inspection = RequestInspection(
            self.inspector, names, topics, attachments=Attachments(reader, attachments, fanout)
        )
        cloud = {"big": self.big, "spare": self.spare}
        self.catalog = catalog
        self.policies = FixedPolicy(load_policy([("policy.yaml", policy)], catalog))
        self.limiter = RateLimiter(limits, observer=fanout, elsewhere=elsewhere)
        self.settlements = SettlementWriter(
            ledger=self.ledger,
            pricing=FreePricing(),
            observer=fanout,
            failed=lambda *_: None,
            ended=self.limiter.end,
        )
        dispatcher = Dispatcher(
            local={"home": self.home}, cloud=cloud, ledger=self.ledger, observer=fanout, limiter=self.limiter
        )
        self.shadows = Shadows(dispatcher=dispatcher, settlements=self.settlements, observer=fanout, seconds=60.0)
        self.pipeline = Pipeline(
            catalog=catalog,
            policies=self.policies,
            request_inspection=inspection,
            masker=masker(inspection.examine_fully)
            if masker is not None
            else Masker(examine=inspection.examine_fully, store=self.masks, sealing=Seal(b"k"), key=b"k"),
            snapshots=SnapshotBuilder(
                local={"home": self.home},
                targets=targets,
                ledger=self.ledger,
                meters=None,
                pricing=FreePricing(),
                now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            ),
            taint=taint or self.taint,
            dispatcher=dispatcher,
            settlements=self.settlements,
            shadows=self.shadows,
            observer=fanout,
            request_seconds=60.0,
            carriers=carriers,
            limiter=self.limiter,
        )

    async def ask(self, text: str = "Hello", *tags: str, model: str = "auto") -> str:
        """Return the whole answer's text, or raise what the client would be told."""
        inbound, request = chat(text, *tags, model=model)
        try:
            async with self.pipeline.generate(inbound, request) as answer:
                return "".join([delta.text async for delta in answer.deltas if isinstance(delta, Text)])
        finally:
            await self.settlements.close()

    async def settled(self) -> None:
        """Wait until shadows have ended and every settlement is written."""
        await self.shadows.ended()
        await self.settlements.close()

    async def embed(self, text: str, *tags: str) -> None:
        """Ask for vectors, and keep the way of the request."""
        document = MappingProxyType({"model": "auto", "input": text})
        request = EmbeddingsRequest(dialect=Dialect.OPENAI, model="auto", document=document, inputs=(text,))
        inbound = Inbound(id="req_e", request=request, caller=Caller(), tags=frozenset(tags))
        try:
            await self.pipeline.embed(inbound, request)
        finally:
            await self.settlements.close()

    @property
    def outcomes(self) -> list[str]:
        """Return how the settled requests ended."""
        return [settlement.outcome.value for settlement in self.ledger.settlements]


def chat(text: str, *tags: str, model: str = "auto") -> tuple[Inbound, ChatRequest]:
    """Return a chat request as the server makes it."""
    message = MappingProxyType({"role": "user", "content": text})
    document = MappingProxyType({"model": model, "messages": (message,)})
    request = ChatRequest(
        dialect=Dialect.OPENAI, model=model, document=document, messages=(Message(role="user", text=text),)
    )
    return Inbound(id="req_1", request=request, caller=Caller(), tags=frozenset(tags)), request


__all__ = ["ANSWER", "AduanaError", "House", "chat"]
