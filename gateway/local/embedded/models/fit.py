"""Choose windows and slots that were left to the machine: as much as its memory holds. Pure.

A model has a list of sizes, the best first. Of the models that are to be in memory together, the one with the largest
KV cache takes the next size until all fit. A window that is too short refuses a request, and a missing slot only makes
one wait: at each window there are eight slots, then six, then four, before a narrower window is looked at. Fewer than
four slots come with a window of 8,192 tokens, and narrower windows with one slot.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.engine.llama.gguf import Header
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.models.eviction import MemoryLimits, within

_ON_CARD, _IN_RAM, _UNKNOWN = 131_072, 32_768, 8_192  # the widest windows
_MOST_POSITIONS = 4  # the widest windows of all: llama.cpp clears all of a cache at load, which takes time
_COMFORT = 8_192  # tokens: narrower windows only where nothing else helps
_MANY, _FEW = (8, 6, 4), (3, 2, 1)
_LEAST = 512


class ModelSize(msgspec.Struct, frozen=True, kw_only=True):
    """One way to load a model: settings with numbers, and what that takes. `roomy`: enough for everyday work."""

    settings: EmbeddedSettings | None  # None: a server, whose size the engine does not choose
    footprint: MemoryFootprint
    at_start: bool
    roomy: bool = True


class WidestWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The widest window to choose for a model, and the most tokens that all its windows may have together."""

    window: int
    positions: int


def widest_window(header: Header, *, gpu: bool, known: bool) -> WidestWindow:
    """Return how far to go for a model: never beyond what it was trained for.

    `known`: it is known how much memory there is.
    """
    most = (_ON_CARD if gpu else _IN_RAM) if known else _UNKNOWN
    trained = header.count("context_length") or _UNKNOWN
    return WidestWindow(window=min(trained, most), positions=max(_MOST_POSITIONS * most, _MANY[0] * _COMFORT))


def sizes(room: EmbeddedSettings, widest: WidestWindow) -> Iterator[tuple[EmbeddedSettings, bool]]:
    """Yield the settings that may be chosen, the best first, and whether each is roomy."""
    if not (room.fit_context or room.fit_slots):
        yield room, True
        return
    windows = _halves(widest.window) if room.fit_context else [room.context]
    wide = [window for window in windows if window >= _COMFORT] or windows[:1]
    for window in wide:
        for slots in _MANY if room.fit_slots else (room.slots,):
            if slots == _MANY[-1] or not room.fit_slots or window * slots <= widest.positions:
                yield _sized(room, window, slots), True
    for slots in _FEW if room.fit_slots else ():
        yield _sized(room, wide[-1], slots), False
    for window in windows[len(wide) :]:
        yield _sized(room, window, 1 if room.fit_slots else room.slots), False


def _halves(widest: int) -> list[int]:
    windows = [widest]
    while (half := windows[-1] // 2 // 256 * 256) >= _LEAST:
        windows.append(half)
    return windows


def _sized(room: EmbeddedSettings, context: int, slots: int) -> EmbeddedSettings:
    return msgspec.structs.replace(room, context=context, slots=slots)


def fitted(models: Mapping[str, Sequence[ModelSize]], limits: MemoryLimits) -> Mapping[str, ModelSize]:
    """Choose a size for every model; the least where nothing fits.

    All of them together, if that leaves each one roomy. Else, where models make room for each other, only those that
    load at start are together.
    """
    chosen = _lowered(models, models, limits, roomy=True)
    if _fits(chosen.values(), limits):
        return chosen
    if not _evicts(limits):
        return _lowered(models, models, limits)
    start = {name for name, choices in models.items() if choices[0].at_start}
    result = dict(_lowered(models, start, limits))
    for name in models.keys() - start:
        result |= _lowered(models, {name}, limits)
    return {name: result[name] for name in models}


def kept_limits(chosen: Collection[ModelSize], limits: MemoryLimits) -> MemoryLimits:
    """Return the limits that eviction keeps to: what was measured as well, for models whose turn gives them all of it.

    INVARIANT: what was measured refuses nothing. Where a model alone, or those that load at start, need more than was
    free, it is no limit: mapped weights may still be read from the disk, and memory may have come free.
    """
    start = [one for one in chosen if one.at_start]
    groups = [start, *([one] for one in chosen)]
    kept = {
        name: spare
        if _evicts(limits) and all(_fits(group, MemoryLimits(**{name: spare})) for group in groups)
        else None
        for name, spare in (("spare_ram", limits.spare_ram), ("spare_gpu", limits.spare_gpu))
    }
    return msgspec.structs.replace(limits, **kept)


def _evicts(limits: MemoryLimits) -> bool:
    """Say whether models make room for each other: only where somebody configured how much there is."""
    return limits.memory is not None or limits.gpu_memory is not None


def _lowered(
    models: Mapping[str, Sequence[ModelSize]], together: Collection[str], limits: MemoryLimits, *, roomy: bool = False
) -> dict[str, ModelSize]:
    """Take smaller sizes, of the largest KV cache first, until all fit or none can be smaller."""
    left = {name: [one for one in models[name] if one.roomy or not roomy] for name in models if name in together}
    while not _fits([choices[0] for choices in left.values()], limits):
        shrinkable = [name for name, choices in left.items() if len(choices) > 1]
        if not shrinkable:
            break
        del left[max(shrinkable, key=lambda name: left[name][0].footprint.cache)][0]
    return {name: choices[0] for name, choices in left.items()}


def _fits(chosen: Collection[ModelSize], limits: MemoryLimits) -> bool:
    return within(limits, [one.footprint for one in chosen])
