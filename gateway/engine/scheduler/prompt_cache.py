"""Index of the prompt cache: which sequences are kept outside the KV memory, and which one a prompt could continue.

Pure: only token ids. Two levels: RAM, and behind it, where that is wanted, a disk. The states themselves are the
owner's; it keeps them under the keys given here, as the operations say.
"""

from array import array

import msgspec

from gateway.engine.scheduler.slots import common_prefix, shared_prefix
from gateway.engine.scheduler.step import Demote, Drop, Save
from gateway.engine.sequence_memory import ATTENTION, SequenceMemory, as_state

_NEAR = 64  # tokens: a sequence is as good as another that can be cut back to nearly its end
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
    checkpoints: tuple[int, ...] = ()  # lengths, ascending
    room: int = 0  # what it takes, as so many tokens


class PromptCacheIndex:
    """Index of cached sequences, with room for `capacity` tokens in RAM and `disk` tokens on disk.

    What was not used for longest is evicted first.
    """

    def __init__(
        self, capacity: int, disk: int = 0, memory: SequenceMemory = ATTENTION, checkpoint_tokens: int = 0
    ) -> None:
        """Begin with nothing. A checkpoint takes as much room as `checkpoint_tokens` tokens."""
        self._memory = memory
        self._checkpoint_tokens = checkpoint_tokens
        self._capacity = capacity
        self._disk = disk
        self._kept: dict[int, CachedPrompt] = {}  # least recently used first
        self._wanted: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: int) -> bool:
        return key in self._kept

    def fits(self, length: int, checkpoints: int = 0) -> bool:
        """Say whether a sequence of this length with so many checkpoints could be kept at all."""
        return self._room(length, checkpoints) <= max(self._capacity, self._disk)

    def _room(self, length: int, checkpoints: int) -> int:
        # What a checkpoint keeps is part of the whole state too; of a window that is among the tokens already.
        return length + self._checkpoint_tokens * (checkpoints + (self._memory.window == 0))

    def add(
        self,
        slot: int,
        tokens: "array[int]",
        isolation: str,
        needed: int = 0,
        checkpoints: tuple[tuple[int, int], ...] = (),
    ) -> list[Drop | Demote | Save]:
        """Keep the sequence of a slot. Return what is to be done for it, in order.

        Args:
            slot: where it is.
            tokens: what it holds.
            isolation: whose it is.
            needed: a key that must stay where it is, for it is about to be used.
            checkpoints: lengths and keys of those that are kept with it.
        """
        lengths = tuple(length for length, _ in checkpoints)
        cache_ops: list[Drop | Demote | Save] = []
        for key, entry in list(self._kept.items()):
            if self._covered(entry, tokens, isolation, lengths) and key != needed and not entry.coming:
                del self._kept[key]
                cache_ops.append(Drop(key))
        self._next += 1
        room = self._room(len(tokens), len(checkpoints))
        self._kept[self._next] = CachedPrompt(tokens=tokens, isolation=isolation, checkpoints=lengths, room=room)
        settled = self._settle(needed)
        new = [op for op in settled if op.key == self._next]  # without RAM it goes straight to disk
        return [*cache_ops, *(op for op in settled if op not in new), Save(slot, self._next, checkpoints), *new]

    def _covered(self, entry: CachedPrompt, tokens: "array[int]", isolation: str, checkpoints: tuple[int, ...]) -> bool:
        """Say whether all that an entry is good for can be had from a longer sequence."""
        length = len(entry.tokens)
        if entry.isolation != isolation or common_prefix(entry.tokens, tokens) < length:
            return False
        usable = self._memory.usable(length, as_state(len(tokens)), checkpoints)
        return usable >= length - _NEAR

    def _settle(self, needed: int) -> list[Drop | Demote]:
        """Evict what is too much: first from RAM, then from disk."""
        cache_ops: list[Drop | Demote] = []
        used = sum(entry.room for entry in self._kept.values() if entry.in_memory)
        for key, entry in list(self._kept.items()):
            if used <= self._capacity:
                break
            if entry.in_memory and key != needed:
                used -= entry.room
                entry.in_memory = False
                entry.on_disk = entry.on_disk or entry.room <= self._disk
                if entry.on_disk:
                    cache_ops.append(Demote(key))
                else:
                    del self._kept[key]
                    cache_ops.append(Drop(key))
        return cache_ops + self._settle_disk()

    def _settle_disk(self) -> list[Drop | Demote]:
        """Evict what is too much on disk."""
        cache_ops: list[Drop | Demote] = []
        used = sum(entry.room for entry in self._kept.values() if entry.on_disk)
        for key, entry in list(self._kept.items()):
            if used <= self._disk:
                break
            if entry.on_disk and not entry.in_memory and not entry.coming:
                used -= entry.room
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
                shared = self._memory.usable(common, as_state(length), entry.checkpoints)
                if shared > best[1] and (entry.in_memory or _PART * shared >= length):
                    best = (key, shared)
        return best

    def way_back(self, key: int, length: int) -> tuple[bool, list[int]]:
        """Say how so much of a kept sequence comes back.

        Returns whether a checkpoint is needed for it, and the lengths of all that are of use then.
        """
        entry = self._kept[key]
        rewinds = not self._memory.cuts(length, as_state(len(entry.tokens)))
        return rewinds, [checkpoint for checkpoint in entry.checkpoints if checkpoint <= length]

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
