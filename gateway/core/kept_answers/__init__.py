"""Answers kept for retries with the same `Idempotency-Key`: here, for of several workers their supervisor has them."""

from gateway.core.kept_answers.store import HEADER, IdempotencyStore, Identity, KeptAnswer

__all__ = ["HEADER", "IdempotencyStore", "Identity", "KeptAnswer"]
