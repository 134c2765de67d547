"""Which sequences are kept outside the KV memory, and which of them a prompt could continue. Pure: only token ids.

Two levels: RAM, and behind it, where that is wanted, a disk. The states themselves are the owner's; it keeps them under
the keys given here, as the moves say.
"""

from array import array

import msgspec

from gateway.engine.placement import common_prefix
from gateway.engine.steps import Drop, Save, Stow

_PART = 8  # reading a whole state from disk pays if at least one in so many of its tokens is of use


class Spilled(msgspec.Struct, kw_only=True):
    """A sequence that was moved out. It may be in both places: what came back from disk need not be written again."""

    tokens: "array[int]"
    isolation: str
    in_memory: bool = True
    on_disk: bool = False
    coming: bool = False  # being read from disk


class Spill:
    """Room for `capacity` tokens in RAM and `disk` tokens on disk; what was not used for longest goes first."""

    def __init__(self, capacity: int, disk: int = 0) -> None:
        self._capacity = capacity
        self._disk = disk
        self._kept: dict[int, Spilled] = {}  # least recently used first
        self._wanted: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: int) -> bool:
        return key in self._kept

    def fits(self, length: int) -> bool:
        """Could a sequence of this length be kept at all?"""
        return length <= max(self._capacity, self._disk)

    def add(self, slot: int, tokens: "array[int]", isolation: str, needed: int = 0) -> list[Drop | Stow | Save]:
        """Keeps the sequence of a slot. `needed`: a key that must stay where it is, for it is about to be used."""
        moves: list[Drop | Stow | Save] = []
        for key, spilled in list(self._kept.items()):
            covered = spilled.isolation == isolation and common_prefix(spilled.tokens, tokens) == len(spilled.tokens)
            if covered and key != needed and not spilled.coming:
                del self._kept[key]
                moves.append(Drop(key))
        self._next += 1
        self._kept[self._next] = Spilled(tokens=tokens, isolation=isolation)
        settled = self._settle(needed)
        new = [move for move in settled if move.key == self._next]  # without RAM it goes straight to disk
        return [*moves, *(move for move in settled if move not in new), Save(slot, self._next), *new]

    def _settle(self, needed: int) -> list[Drop | Stow]:
        """Out of RAM with what is too much there, then off the disk."""
        moves: list[Drop | Stow] = []
        used = sum(len(spilled.tokens) for spilled in self._kept.values() if spilled.in_memory)
        for key, spilled in list(self._kept.items()):
            if used <= self._capacity:
                break
            if spilled.in_memory and key != needed:
                used -= len(spilled.tokens)
                spilled.in_memory = False
                spilled.on_disk = spilled.on_disk or len(spilled.tokens) <= self._disk
                if spilled.on_disk:
                    moves.append(Stow(key))
                else:
                    del self._kept[key]
                    moves.append(Drop(key))
        return moves + self._settle_disk()

    def _settle_disk(self) -> list[Drop | Stow]:
        moves: list[Drop | Stow] = []
        used = sum(len(spilled.tokens) for spilled in self._kept.values() if spilled.on_disk)
        for key, spilled in list(self._kept.items()):
            if used <= self._disk:
                break
            if spilled.on_disk and not spilled.in_memory and not spilled.coming:
                used -= len(spilled.tokens)
                del self._kept[key]
                moves.append(Drop(key))
        return moves

    def best(self, prompt: "array[int]", isolation: str) -> tuple[int, int]:
        """The key whose sequence shares most with `prompt`, and how much; (0, 0): none."""
        best = (0, 0)
        for key, spilled in self._kept.items():
            if spilled.isolation == isolation:
                shared = min(common_prefix(spilled.tokens, prompt), len(prompt) - 1)
                if shared > best[1] and (spilled.in_memory or _PART * shared >= len(spilled.tokens)):
                    best = (key, shared)
        return best

    def at_hand(self, key: int) -> bool:
        """Is it in RAM? If not it is wanted from now on: see `wanted`."""
        spilled = self._kept[key]
        if not spilled.in_memory and not spilled.coming:
            spilled.coming = True
            self._wanted.append(key)
        return spilled.in_memory

    def wanted(self) -> list[int]:
        """Keys to be read from disk, each of them once; `arrived` or `lost` must follow."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def arrived(self, key: int) -> list[Drop | Stow]:
        """It was read from disk and is in RAM now. Returns what must leave RAM for it."""
        spilled = self._kept.pop(key, None)
        if spilled is None:
            return [Drop(key)]
        spilled.in_memory, spilled.coming = True, False
        self._kept[key] = spilled
        return self._settle(needed=key)

    def lost(self, key: int) -> None:
        """Its state is nowhere: it could not be written or read."""
        self._kept.pop(key, None)

    def used(self, key: int, shared: int) -> bool:
        """A sequence was continued. True: what is left of it is worth nothing any more and it is dropped."""
        spilled = self._kept.pop(key)
        if shared >= 0.9 * len(spilled.tokens):
            return True
        self._kept[key] = spilled
        return False
