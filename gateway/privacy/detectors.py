"""All detectors of the room, in one table, and the categories that they find."""

from gateway.privacy import (
    accounts,
    addresses,
    context,
    credentials,
    entities,
    identifiers,
    networks,
    people,
    shapes,
    spoken,
    topics,
)
from gateway.privacy.detector import Detector
from gateway.privacy.vendor_rules import vendor_rules

DETECTORS: tuple[Detector, ...] = (
    *identifiers.DETECTORS,
    *accounts.DETECTORS,
    *addresses.DETECTORS,
    *credentials.DETECTORS,
    *shapes.DETECTORS,
    *spoken.DETECTORS,
    *networks.DETECTORS,
    *people.DETECTORS,
    *context.DETECTORS,
    *topics.DETECTORS,
)

CATEGORIES: tuple[str, ...] = tuple(
    sorted(
        {detector.category for detector in DETECTORS} | {rule.category for rule in vendor_rules()} | entities.CATEGORIES
    )
)
