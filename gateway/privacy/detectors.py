"""All detectors of the room, in one table, and the categories that they find."""

from gateway.privacy import accounts, context, credentials, entities, identifiers, topics
from gateway.privacy.detector import Detector
from gateway.privacy.vendor_rules import vendor_rules

DETECTORS: tuple[Detector, ...] = (
    *identifiers.DETECTORS,
    *accounts.DETECTORS,
    *credentials.DETECTORS,
    *context.DETECTORS,
    *topics.DETECTORS,
)

CATEGORIES: tuple[str, ...] = tuple(
    sorted(
        {detector.category for detector in DETECTORS} | {rule.category for rule in vendor_rules()} | entities.CATEGORIES
    )
)
