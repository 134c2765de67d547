"""One request and its moment, as facts read it. Nothing is computed before a fact asks for it."""

import hashlib
from collections.abc import Callable

from gateway.core.target import Alias, Catalog, TargetState
from gateway.policy.evaluation.evidence import Evidence

# Stands in `Inbound.headers` of a request that was read back from the ledger: header values are never stored, so
# every header is unknown there. No real header has an empty name.
UNRECORDED_HEADERS: tuple[tuple[str, str], ...] = (("", ""),)


class RequestView:
    """View of a request that a decision reads. `label` and `tags` grow while rules raise and tag; all else stays."""

    __slots__ = ("alias", "categories", "inbound", "inspection", "label", "local", "snapshot", "tags")

    def __init__(self, evidence: Evidence, alias: Alias, local: tuple[str, ...]) -> None:
        self.inbound = evidence.inbound
        self.inspection = evidence.inspection
        self.snapshot = evidence.snapshot
        self.alias = alias
        self.local = local  # local targets that the alias permits
        self.label = 0
        self.tags = evidence.inbound.tags
        self.categories: frozenset[str] | None = None

    def best_local(
        self, read: Callable[[TargetState], float | None], pick: Callable[[list[float]], float]
    ) -> float | None:
        """Return the best value among healthy local targets that the alias permits; None: no value is known."""
        states = self.snapshot.targets
        values: list[float] = []
        for name in self.local:
            state = states.get(name)
            if state is not None and state.healthy and state.open_until is None:
                value = read(state)
                if value is not None:
                    values.append(value)
        return pick(values) if values else None


def local_targets(catalog: Catalog, alias: Alias) -> tuple[str, ...]:
    """Return the names of the local targets that an alias permits, in the order of the configuration."""
    return tuple(
        name
        for name, info in catalog.targets.items()
        if info.zone == "local" and (alias.targets is None or name in alias.targets)
    )


def with_prefixes(categories: frozenset[str]) -> frozenset[str]:
    """Return the categories with everything above them: `id.national` brings `id`."""
    found = set(categories)
    for category in categories:
        while "." in category:
            category = category.rpartition(".")[0]
            found.add(category)
    return frozenset(found)


def share_of(salt: str, parts: tuple[str, ...]) -> float:
    """Return a stable number from 0 to 1 for these words: the same in every process and on every machine."""
    text = "\0".join((salt, *parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big") / 2**48
