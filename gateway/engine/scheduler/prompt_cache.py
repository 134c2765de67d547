"""Index of the prompt cache: which sequences are kept outside the KV memory, and which one a prompt could continue.

Pure: only token ids. Two levels: RAM, and behind it, where that is wanted, a disk. The states themselves are the
owner's; it keeps them under the keys given here, as the operations say.
"""

from array import array

import msgspec

from gateway.engine.scheduler.slots import common_prefix, shared_prefix
from gateway.engine.scheduler.step import Demote, Drop, Save
from gateway.engine.sequence_memory import ATTENTION, SequenceMemory

_PART = 8  # reading a whole state from disk pays if at least one in so many of its tokens is of use


class CachedPrompt(msgspec.Struct, kw_only=True):
    """Sequence that was moved out of the KV memory.

    It may be in both places: what came back from disk need not be written again.
    """

    tokens: "array[int]"
    isolation: str
    in_memory: bool = True
    on_disk: bool = False
    coming: bool = False  # being read from disk


class PromptCacheIndex:
    """Index of cached sequences, with room for `capacity` tokens in RAM and `disk` tokens on disk.

    What was not used for longest is evicted first.
    """

    def __init__(self, capacity: int, disk: int = 0, memory: SequenceMemory = ATTENTION) -> None:
        self._memory = memory
        self._capacity = capacity
        self._disk = disk
        self._kept: dict[int, CachedPrompt] = {}  # least recently used first
        self._wanted: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: int) -> bool:
        return key in self._kept

    def fits(self, length: int) -> bool:
        """Say whether a sequence of this length could be kept at all."""
        return length <= max(self._capacity, self._disk)

    def add(self, slot: int, tokens: "array[int]", isolation: str, needed: int = 0) -> list[Drop | Demote | Save]:
        """Keep the sequence of a slot. Return what is to be done for it, in order.

        `needed`: a key that must stay where it is, for it is about to be used.
        """
        cache_ops: list[Drop | Demote | Save] = []
        for key, entry in list(self._kept.items()):
            covered = entry.isolation == isolation and common_prefix(entry.tokens, tokens) == len(entry.tokens)
            if covered and key != needed and not entry.coming:
                del self._kept[key]
                cache_ops.append(Drop(key))
        self._next += 1
        self._kept[self._next] = CachedPrompt(tokens=tokens, isolation=isolation)
        settled = self._settle(needed)
        new = [op for op in settled if op.key == self._next]  # without RAM it goes straight to disk
        return [*cache_ops, *(op for op in settled if op not in new), Save(slot, self._next), *new]

    def _settle(self, needed: int) -> list[Drop | Demote]:
        """Evict what is too much: first from RAM, then from disk."""
        cache_ops: list[Drop | Demote] = []
        used = sum(len(entry.tokens) for entry in self._kept.values() if entry.in_memory)
        for key, entry in list(self._kept.items()):
            if used <= self._capacity:
                break
            if entry.in_memory and key != needed:
                used -= len(entry.tokens)
                entry.in_memory = False
                entry.on_disk = entry.on_disk or len(entry.tokens) <= self._disk
                if entry.on_disk:
                    cache_ops.append(Demote(key))
                else:
                    del self._kept[key]
                    cache_ops.append(Drop(key))
        return cache_ops + self._settle_disk()

    def _settle_disk(self) -> list[Drop | Demote]:
        """Evict what is too much on disk."""
        cache_ops: list[Drop | Demote] = []
        used = sum(len(entry.tokens) for entry in self._kept.values() if entry.on_disk)
        for key, entry in list(self._kept.items()):
            if used <= self._disk:
                break
            if entry.on_disk and not entry.in_memory and not entry.coming:
                used -= len(entry.tokens)
                del self._kept[key]
                cache_ops.append(Drop(key))
        return cache_ops

    def best(self, prompt: "array[int]", isolation: str) -> tuple[int, int]:
        """Return the key of which most can be kept for `prompt`, and how many tokens; (0, 0): none."""
        best = (0, 0)
        for key, entry in self._kept.items():
            if entry.isolation == isolation:
                length = len(entry.tokens)
                common = shared_prefix(entry.tokens, prompt)
                shared = self._memory.usable(common, length=length, moved=length)
                if shared > best[1] and (entry.in_memory or _PART * shared >= length):
                    best = (key, shared)
        return best

    def in_ram(self, key: int) -> bool:
        """Say whether a sequence is in RAM. If not, it is wanted from now on: see `wanted`."""
        entry = self._kept[key]
        if not entry.in_memory and not entry.coming:
            entry.coming = True
            self._wanted.append(key)
        return entry.in_memory

    def wanted(self) -> list[int]:
        """Return keys to be read from disk, each of them once; `arrived` or `lost` must follow."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def arrived(self, key: int) -> list[Drop | Demote]:
        """Note that a sequence was read from disk and is in RAM now. Return what must leave RAM for it."""
        entry = self._kept.pop(key, None)
        if entry is None:
            return [Drop(key)]
        entry.in_memory, entry.coming = True, False
        self._kept[key] = entry
        return self._settle(needed=key)

    def lost(self, key: int) -> None:
        """Forget a sequence whose state is nowhere: it could not be written or read."""
        self._kept.pop(key, None)

    def used(self, key: int, shared: int) -> bool:
        """Note that a prompt continues a sequence.

        True: what is left of the sequence is worth nothing any more and it is dropped.
        """
        entry = self._kept.pop(key)
        if shared >= 0.9 * len(entry.tokens):
            return True
        self._kept[key] = entry
        return False
