"""All detectors of the room, in one table, and the categories that are found."""

from gateway.privacy.detectors import (
    accounts,
    addresses,
    high_entropy,
    identifiers,
    named_entities,
    networks,
    people,
    phones,
    records,
    streets,
)
from gateway.privacy.detectors.countries import tables
from gateway.privacy.detectors.credentials import assigned, in_calls, in_files, in_prose, spoken
from gateway.privacy.detectors.detector import Detector
from gateway.privacy.detectors.gitleaks import vendor_rules
from gateway.privacy.detectors.own_affairs import topics
from gateway.privacy.sensitivity import kinds

DETECTORS: tuple[Detector, ...] = (
    *identifiers.DETECTORS,
    *tables.DETECTORS,
    *accounts.DETECTORS,
    *addresses.DETECTORS,
    *streets.DETECTORS,
    *assigned.DETECTORS,
    *high_entropy.DETECTORS,
    *in_calls.DETECTORS,
    *in_files.DETECTORS,
    *in_prose.DETECTORS,
    *spoken.DETECTORS,
    *networks.DETECTORS,
    *people.DETECTORS,
    *phones.DETECTORS,
    *records.DETECTORS,
    *topics.DETECTORS,
)

FOUND: tuple[str, ...] = tuple(
    sorted(
        {detector.category for detector in DETECTORS}
        | {rule.category for rule in vendor_rules()}
        | named_entities.CATEGORIES
        | kinds.CATEGORIES
    )
)
"""All that can be found. A test compares it with the list that policies are read with (`privacy/categories.py`)."""
