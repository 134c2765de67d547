"""Whether a model fits a card, and how fast and thirsty it is to be expected. Pure.

An answer's token needs all weights that take part in it to be read once: the bandwidth of the memory divided by these
bytes is a roof that no engine passes for one request at a time. How much of it is reached was seen by others
(docs/plan.md has each value with its source); the ranges here hold all of them where 2 GB or more are read for a token.
"""

import math
from typing import Literal

import msgspec

from gateway.engine.llama.cache_size import cache_shape, layers_of
from gateway.engine.llama.footprint import MemoryFootprint, footprint_of
from gateway.engine.llama.gguf import Header
from gateway.engine.settings import KvType
from gateway.local.embedded.models.fit import sizes, widest_window
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.setup.known_cards import Card

_GIB = 2**30
_USEFUL = 8192  # tokens of a window that is wide enough for everyday work
_TYPICAL_DEPTH = 4096  # tokens in a conversation while it is answered
_REST_AT_WORK, _REST_IDLE = 80.0, 35.0  # watts of the machine around a card
_POWER_AT_WORK = 0.85  # of a card's board power while it generates


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """Estimate with the least and the most that is plausible."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> "Range":
        """Return all three, multiplied."""
        return Range(low=self.low * factor, expected=self.expected * factor, high=self.high * factor)


DECODE_DENSE = Range(low=0.55, expected=0.72, high=0.92)  # of the memory's bandwidth
DECODE_EXPERTS = Range(low=0.35, expected=0.50, high=0.60)
PREFILL_DENSE = Range(low=0.15, expected=0.30, high=0.40)  # of the FP16 rate of the matrix units
PREFILL_EXPERTS = Range(low=0.05, expected=0.15, high=0.30)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Model to plan for. `bytes`: of its file; `read`: bytes of it that are read for a token; `active`: weights."""

    name: str
    title: str
    header: Header
    bytes: int
    read: float
    active: float
    cloud: str = ""

    @property
    def has_experts(self) -> bool:
        """Tell whether only a part of the weights is read for a token."""
        return self.read < 0.9 * self.bytes


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One or more equal cards that hold a model together, layer by layer."""

    card: Card
    count: int = 1

    @property
    def title(self) -> str:
        """Return what to call it."""
        return self.card.title if self.count == 1 else f"{self.count} x {self.card.title}"

    @property
    def memory(self) -> int:
        """Return the bytes of all cards; makers write GB and mean GiB."""
        return int(self.count * self.card.memory * _GIB)

    @property
    def watts_at_work(self) -> float:
        """Return the power of the machine while it generates: of several cards one computes at a time."""
        if self.card.shared:
            return _POWER_AT_WORK * self.card.watts
        return _POWER_AT_WORK * self.card.watts + (self.count - 1) * self.card.idle_watts + _REST_AT_WORK

    @property
    def watts_idle(self) -> float:
        """Return the power of the machine while the model waits in memory."""
        return self.card.idle_watts if self.card.shared else self.count * self.card.idle_watts + _REST_IDLE


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How the model is to be loaded. None: as wide, and as many, as fit."""

    context: int | None = None
    slots: int | None = None
    kv: KvType = "f16"


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What would make a model fit: the name of a sentence, and the values in it."""

    kind: Literal["narrower", "smaller_cache", "more_memory", "smaller_file", "smaller_file_or_layers"]
    gigabytes: float = 0.0
    layers: int = 0
    of: int = 0


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How a model lies in the memory. Bytes. `advice`: what to turn down; None: it fits."""

    fits: bool
    need: int
    room: int
    context: int
    slots: int
    advice: Advice | None = None


def fit(subject: Subject, place: Place, wish: Wish) -> Fit:
    """Choose window and slots as the engine would with that memory, or say what to turn down."""
    room = place.memory - max(place.memory // 20, _GIB // 2)
    tried = [(size, _need(subject, size)) for size in _sizes(subject, wish)]
    for size, need in tried:
        if need <= room:
            return Fit(fits=True, need=need, room=room, context=size.context, slots=size.slots)
    size, need = min(tried, key=lambda one: one[1])
    advice = _advice(subject, wish, need, room)
    return Fit(fits=False, need=need, room=room, context=size.context, slots=size.slots, advice=advice)


def _sizes(subject: Subject, wish: Wish) -> list[EmbeddedSettings]:
    room = EmbeddedSettings(
        model="",
        context=wish.context or 8192,
        slots=wish.slots or 8,
        fit_context=wish.context is None,
        fit_slots=wish.slots is None,
        kv_type_k=wish.kv,
        kv_type_v=wish.kv,
    )
    return [size for size, _ in sizes(room, widest_window(subject.header, gpu=True, known=True))]


def _need(subject: Subject, size: EmbeddedSettings) -> int:
    weights = MemoryFootprint(weights=subject.bytes, gpu=subject.bytes)
    return (footprint_of(subject.header, size, gpu=True) + weights).total


def _advice(subject: Subject, wish: Wish, need: int, room: int) -> Advice:
    """Say what would make it fit."""
    if wish.context is not None or wish.slots is not None:
        least = min(_need(subject, size) for size in _sizes(subject, Wish(kv=wish.kv)))
        if least <= room:
            return Advice(kind="narrower")
    if wish.kv == "f16" and min(_need(subject, size) for size in _sizes(subject, Wish(kv="q8_0"))) <= room:
        return Advice(kind="smaller_cache")
    plain = [_need(subject, size) for size in _sizes(subject, wish) if size.context >= _USEFUL]
    largest = room - (min(plain, default=need) - subject.bytes)
    if largest <= 0:
        return Advice(kind="more_memory")
    layers = layers_of(subject.header)
    on_card = max(0, math.floor(layers * largest / subject.bytes)) if layers else 0
    kind: Literal["smaller_file", "smaller_file_or_layers"] = "smaller_file_or_layers" if on_card else "smaller_file"
    return Advice(kind=kind, gigabytes=largest / 1e9, layers=on_card, of=layers)


class Speed(msgspec.Struct, frozen=True, kw_only=True):
    """Expected tokens a second of one request at a time. `roof`: what the bandwidth permits at most."""

    roof: float
    answer: Range
    prompt: Range


def speed(subject: Subject, place: Place, wish: Wish) -> Speed:
    """Estimate the speed of one request in a conversation of 4,096 tokens."""
    shape = cache_shape(subject.header, wish.kv, wish.kv)
    window = min(_TYPICAL_DEPTH, shape.window or _TYPICAL_DEPTH)
    read = subject.read + _TYPICAL_DEPTH * shape.position + window * shape.window_position + shape.state
    roof = place.card.bandwidth * 1e9 / read
    most = place.card.tflops * 1e12 / (2 * subject.active)
    answer, prompt = (DECODE_EXPERTS, PREFILL_EXPERTS) if subject.has_experts else (DECODE_DENSE, PREFILL_DENSE)
    return Speed(roof=roof, answer=answer.times(roof), prompt=prompt.times(most))


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a day."""

    prompt: float
    answer: float


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A day's work. `hours` of one request at a time; `at_once`: requests that must run at once to get it done."""

    hours: Range
    at_once: int
    kwh: float
    kwh_idle: float  # of them while nothing is to be done


def work(place: Place, pace: Speed, load: Load, hours_on: float) -> Work:
    """Estimate how long a day's tokens take, and the electricity of the whole machine."""

    def hours(prompt: float, answer: float) -> float:
        return (load.prompt / prompt + load.answer / answer) / 3600

    taken = Range(
        low=hours(pace.prompt.high, pace.answer.high),
        expected=hours(pace.prompt.expected, pace.answer.expected),
        high=hours(pace.prompt.low, pace.answer.low),
    )
    busy = min(taken.expected, hours_on)
    idle = (hours_on - busy) * place.watts_idle / 1000
    return Work(
        hours=taken,
        at_once=max(1, math.ceil(taken.expected / hours_on)),
        kwh=busy * place.watts_at_work / 1000 + idle,
        kwh_idle=idle,
    )
