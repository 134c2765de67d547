"""Which sequences are kept outside the KV memory, and which of them a prompt could continue. Pure: only token ids.

The states themselves are the owner's; it stores them under the keys given here.
"""

from array import array

import msgspec

from gateway.engine.placement import common_prefix


class Spilled(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence that was moved out."""

    tokens: "array[int]"
    isolation: str


class Spill:
    """Room for `capacity` tokens; the sequence that was not used for longest goes first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: dict[int, Spilled] = {}  # least recently used first
        self._next = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: int) -> bool:
        return key in self._kept

    def fits(self, length: int) -> bool:
        """Could a sequence of this length be kept at all?"""
        return length <= self._capacity

    def add(self, tokens: "array[int]", isolation: str) -> tuple[int, list[int]]:
        """Keeps a sequence. Returns its key, and the keys that must be dropped for it."""
        dropped = []
        used = sum(len(spilled.tokens) for spilled in self._kept.values()) + len(tokens)
        for key, spilled in list(self._kept.items()):
            covered = spilled.isolation == isolation and common_prefix(spilled.tokens, tokens) == len(spilled.tokens)
            if used > self._capacity or covered:
                used -= len(spilled.tokens)
                dropped.append(key)
                del self._kept[key]
        self._next += 1
        self._kept[self._next] = Spilled(tokens=tokens, isolation=isolation)
        return self._next, dropped

    def best(self, prompt: "array[int]", isolation: str) -> tuple[int, int]:
        """The key whose sequence shares most with `prompt`, and how much; (0, 0): none."""
        best = (0, 0)
        for key, spilled in self._kept.items():
            if spilled.isolation == isolation:
                shared = min(common_prefix(spilled.tokens, prompt), len(prompt) - 1)
                if shared > best[1]:
                    best = (key, shared)
        return best

    def used(self, key: int, shared: int) -> bool:
        """A sequence was continued. True: what is left of it is worth nothing any more and it is dropped."""
        spilled = self._kept.pop(key)
        if shared >= 0.9 * len(spilled.tokens):
            return True
        self._kept[key] = spilled
        return False
