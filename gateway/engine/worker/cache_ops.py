"""Carry out the scheduler's operations on cached sequences: cut, copy, keep, bring back."""

from collections.abc import Collection
from typing import assert_never

from gateway.engine.llama.faults import EngineFault
from gateway.engine.llama.model import Model
from gateway.engine.prompt_store.saved import SavedState, State
from gateway.engine.prompt_store.store import PromptCacheStore
from gateway.engine.scheduler.step import (
    CacheOp,
    Copy,
    Demote,
    Drop,
    Forget,
    Keep,
    Restore,
    Rewind,
    Save,
    Swap,
    Trim,
)


class CacheOperator:
    """Carrier of operations between a model's memory and the store of what left it."""

    def __init__(self, model: Model, store: PromptCacheStore) -> None:
        self._model = model
        self._store = store

    def apply(self, op: CacheOp, lost: Collection[int] = ()) -> tuple[int, ...]:
        """Carry out an operation. Return the slots whose sequences it lost.

        A sequence that is lost is computed again: a memory that can't do what was planned costs time, and no answer.

        Args:
            op: the operation.
            lost: slots whose sequences were lost before in the same plan; what it would make of them is lost as well.
        """
        try:
            done = not any(slot in lost for slot in _needs(op)) and self._carry_out(op)
        except EngineFault:
            done = False
        if done:
            return ()
        match op:
            case Trim() | Rewind() | Restore():
                return (op.slot,)
            case Copy():
                return (op.destination,)
            case Swap():
                return (op.one, op.other)
            case _:  # what was not kept is missed when it is wanted
                return ()

    def _carry_out(self, op: CacheOp) -> bool:
        model, store = self._model, self._store
        match op:
            case Trim():
                return model.trim(op.slot, op.position)
            case Keep():
                store.keep_checkpoint(op.key, model.checkpoint(op.slot))
            case Forget():
                store.forget_checkpoint(op.key)
            case Rewind():
                return self._rewind(op.slot, op.position, store.checkpoint(op.key))
            case Copy():
                model.copy(op.source, op.destination)
                if op.checkpoint:
                    return self._rewind(op.destination, op.position, store.checkpoint(op.checkpoint))
                return model.trim(op.destination, op.position)
            case Swap():
                model.swap(op.one, op.other)
            case Save():
                parts = {length: store.checkpoint(key) for length, key in op.checkpoints}
                kept = {length: part for length, part in parts.items() if part is not None}
                store.put(op.key, SavedState(model.save(op.slot), kept))
            case Restore():
                return self._restore(op)
            case Drop():
                store.drop(op.key)
            case Demote():
                store.demote(op.key)
            case _:
                assert_never(op)
        return True

    def _restore(self, op: Restore) -> bool:
        saved = self._store.get(op.key)
        if saved is None:
            return False
        for length, key in op.checkpoints:
            if length in saved.checkpoints:
                self._store.keep_checkpoint(key, saved.checkpoints[length])
        self._model.restore(op.slot, saved.state)
        if op.rewinds:
            return self._rewind(op.slot, op.position, saved.checkpoints.get(op.length))
        return self._model.trim(op.slot, op.position)

    def _rewind(self, slot: int, position: int, checkpoint: State | None) -> bool:
        return checkpoint is not None and self._model.rewind(slot, position, checkpoint)


def _needs(op: CacheOp) -> tuple[int, ...]:
    """Return the slots whose sequences an operation goes on from."""
    match op:
        case Trim() | Rewind() | Keep() | Save():
            return (op.slot,)
        case Copy():
            return (op.source,)
        case Swap():
            return (op.one, op.other)
        case _:
            return ()
