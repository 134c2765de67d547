"""A small house to watch: one local and one cloud target, and events as the pipeline sends them."""

from collections.abc import Mapping, Sequence

import pytest

from gateway.core.events import Began, Decided, Settled
from gateway.core.labels import Label, Zone
from gateway.core.progress import Progress
from gateway.core.record import Outcome, Receipt, Settlement
from gateway.core.request import Dialect, Endpoint
from gateway.core.snapshot import Budget
from gateway.core.target import Alias, Catalog, ServerState, TargetInfo, TargetState
from gateway.core.usage import Usage
from gateway.observe import EnergyReport, GpuReading, Known, Metrics, Readings, World

NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC

CATALOG = Catalog(
    targets={
        "home": TargetInfo(
            name="home",
            kind="embedded",
            zone=Zone.LOCAL,
            ceiling=Label.SENSITIVE,
            model="/models/qwen3-32b.gguf",
            context=8192,
        ),
        "big": TargetInfo(name="big", kind="openai", zone=Zone.CLOUD, ceiling=Label.PUBLIC, model="gpt-5.4"),
    },
    aliases={"auto": Alias(name="auto")},
    unknown_model="auto",
)

KNOWN = Known(
    catalog=CATALOG,
    version="1.2.3",
    reference_model="gpt-4.1-mini",
    rules=("long prompts go out",),
    policy_digest="0123abcd",
    categories=("contact.email", "financial.iban"),
    providers={"big": "openai"},
    price_timestamp=NOON,
    servers=(("home", "gpu-1"), ("home", "gpu-2")),
)

READINGS = Readings(
    gpus=(
        GpuReading(
            name="gpu0",
            power=212.5,
            utilization=0.87,
            memory_used=11 * 2**30,
            memory_total=24 * 2**30,
            temperature=64.0,
        ),
    ),
    energy=EnergyReport(
        joules={("gpu0", "request", "counter"): 5000.5, ("gpu0", "idle", "counter"): 900.0},
        electricity_micros={"request": 350.0, "idle": 63.0},
        hardware_micros=1200.0,
        price_per_kwh=0.24,
    ),
)


def states() -> Mapping[str, TargetState]:
    """How the two targets are doing."""
    return {
        "home": TargetState(
            queue_depth=2,
            queue_wait_seconds=0.3,
            slots_busy=3,
            slots_total=8,
            kv_used=0.25,
            loaded=True,
            loading=1.0,
            memory=10**9,
            servers=(ServerState(name="gpu-1", load=5, waiting=2), ServerState(name="gpu-2", healthy=False)),
        ),
        "big": TargetState(healthy=True, open_until=50.0),
    }


def budgets() -> Mapping[str, Budget]:
    """What was spent."""
    return {
        "day": Budget(spent=0.8, limit=1.0),
        "month": Budget(spent=4.0),
        "key:laptop": Budget(spent=1.0, limit=5.0),
    }


WORLD = World(states=states, budgets=budgets, readings=lambda: READINGS)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(KNOWN, WORLD, monotonic=lambda: 10.0)


def make_receipt(request_id: str = "r1", **changes: object) -> Receipt:
    """A receipt with one field or another changed."""
    fields: dict[str, object] = {
        "request_id": request_id,
        "received_at": NOON,
        "dialect": Dialect.OPENAI,
        "endpoint": Endpoint.CHAT,
        "key": "laptop",
        "user": None,
        "model": "auto",
        "stream": True,
        "label": Label.INTERNAL,
        "label_source": "default",
        "tags": (),
        "categories": (("contact.email", 2),),
        "doubts": (),
        "rule": "otherwise",
        "permitted": ("home", "big"),
        "refusal": None,
        "prompt_tokens": 12,
        "policy_digest": "abc",
    }
    return Receipt(**(fields | changes))  # type: ignore[arg-type]


def make_settlement(request_id: str = "r1", **changes: object) -> Settlement:
    """A settlement of a local answer with one field or another changed."""
    fields: dict[str, object] = {
        "request_id": request_id,
        "settled_at": NOON + 1,
        "outcome": Outcome.OK,
        "target": "home",
        "zone": Zone.LOCAL,
        "usage": Usage(input=10, input_cached=4, output=5, reasoning=2),
        "avoided_micros": 120,
        "first_token_seconds": 0.2,
        "duration_seconds": 0.9,
    }
    return Settlement(**(fields | changes))  # type: ignore[arg-type]


def decided(receipt: Receipt | None = None, **changes: object) -> Decided:
    """A decision for the local zone."""
    fields: dict[str, object] = {
        "receipt": receipt or make_receipt(),
        "first_zone": Zone.LOCAL,
        "reason": "otherwise",
        "queue_wait_seconds": 0.3,
        "stages": (("inspect", 0.0004), ("count", 0.0001), ("decide", 0.00002), ("receipt", 0.002), ("total", 0.0026)),
    }
    return Decided(**(fields | changes))  # type: ignore[arg-type]


def began(request_id: str = "r1", progress: Progress | None = None, zone: Zone = Zone.LOCAL) -> Began:
    """A target is asked."""
    target = "home" if zone is Zone.LOCAL else "big"
    return Began(request_id=request_id, target=target, zone=zone, progress=progress or Progress())


def settled(
    receipt: Receipt | None = None, settlement: Settlement | None = None, gaps: Sequence[float] = ()
) -> Settled:
    """The end of a local answer."""
    return Settled(receipt=receipt or make_receipt(), settlement=settlement or make_settlement(), gaps=gaps)
