"""Counts for each claim what speaks against it, while somebody walks along the chain."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.labels import Label
from gateway.ledger.chain.findings import Claim
from gateway.ledger.chain.links import CLOUD, Link

_EXAMPLES = 5


class _Count:
    """What was found about one claim so far."""

    def __init__(self, subject: str, value: str) -> None:
        self.subject, self.value = subject, value
        self.requests = self.permitted = self.answered = self.tried = self.untold = 0
        self.unknown = self.erased = 0
        self.examples: list[str] = []

    def example(self, name: str) -> None:
        if len(self.examples) < _EXAMPLES and name not in self.examples:
            self.examples.append(name)

    def claim(self) -> Claim:
        return Claim(
            subject=self.subject,
            value=self.value,
            requests=self.requests,
            permitted=self.permitted,
            answered=self.answered,
            tried=self.tried,
            untold=self.untold,
            unknown=self.unknown,
            erased=self.erased,
            examples=tuple(self.examples),
        )


class Watch:
    """Counter for all claims. A request is watched from its receipt to its settlement."""

    def __init__(self, labels: Sequence[Label], tags: Sequence[str]) -> None:
        self._labels = {int(label): _Count("label", label.word) for label in labels}
        self._tags = {tag: _Count("tag", tag) for tag in tags}
        self._open: dict[int, tuple[list[_Count], str, Mapping[str, str]]] = {}
        self._kept: set[int] = set()  # erased without a cloud among their targets, and no settlement came by yet

    def receipt(self, link: Link, said: Mapping[str, Any] | None) -> None:
        """Count a request of the period. `said`: its row; None: it is gone, and only its link speaks."""
        counts: list[_Count] = []
        self._kept.discard(link.seq)  # a number that is given out anew
        if link.label in self._labels:
            counts.append(self._labels[link.label])
        if said is not None:
            counts += [self._tags[tag] for tag in json.loads(said["tags"]) if tag in self._tags]
        elif self._tags:
            self._without_tags(link)
        if not counts:
            return
        name = str(said["request_id"]) if said is not None else f"#{link.seq}"
        for count in counts:
            count.requests += 1
            if link.zones is None:
                count.untold += 1
                count.example(name)
            elif CLOUD in link.zones:
                count.permitted += 1
                count.example(name)
        permitted = json.loads(said["permitted"]) if said is not None else []
        self._open[link.seq] = (counts, name, dict(zip(permitted, link.zones or "", strict=False)))

    def _without_tags(self, link: Link) -> None:
        """Count a request that is erased: it may have had any tag."""
        could = link.zones is None or CLOUD in link.zones
        if not could:
            self._kept.add(link.seq)
        for count in self._tags.values():
            count.unknown += could
            count.erased += not could

    def settlement(self, link: Link, attempts: Sequence[tuple[str, str]]) -> None:
        """Count where a request was answered, and where that was tried in vain."""
        if link.seq in self._kept:
            self._kept.remove(link.seq)
            if link.zones == CLOUD:
                for count in self._tags.values():
                    count.unknown += 1
                    count.erased -= 1
        counts, name, zones = self._open.pop(link.seq, ([], "", {}))
        answered = link.zones == CLOUD
        tried = any(zones.get(target) == CLOUD for target, _ in attempts)
        for count in counts if answered or tried else ():
            count.answered += answered
            count.tried += tried
            count.example(name)

    def claims(self) -> tuple[Claim, ...]:
        """Return what was found."""
        return tuple(count.claim() for count in (*self._labels.values(), *self._tags.values()))
