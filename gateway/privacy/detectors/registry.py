"""All detectors of the room, in one table, and the categories that they find."""

from gateway.privacy.detectors import (
    accounts,
    addresses,
    credentials,
    credentials_in_files,
    credentials_in_prose,
    credentials_spoken,
    high_entropy,
    identifiers,
    named_entities,
    networks,
    people,
    phones,
    records,
    streets,
    topics,
)
from gateway.privacy.detectors.countries import tables
from gateway.privacy.detectors.detector import Detector
from gateway.privacy.detectors.gitleaks import vendor_rules
from gateway.privacy.sensitivity import kinds

DETECTORS: tuple[Detector, ...] = (
    *identifiers.DETECTORS,
    *tables.DETECTORS,
    *accounts.DETECTORS,
    *addresses.DETECTORS,
    *streets.DETECTORS,
    *credentials.DETECTORS,
    *high_entropy.DETECTORS,
    *credentials_in_files.DETECTORS,
    *credentials_in_prose.DETECTORS,
    *credentials_spoken.DETECTORS,
    *networks.DETECTORS,
    *people.DETECTORS,
    *phones.DETECTORS,
    *records.DETECTORS,
    *topics.DETECTORS,
)

CATEGORIES: tuple[str, ...] = tuple(
    sorted(
        {detector.category for detector in DETECTORS}
        | {rule.category for rule in vendor_rules()}
        | named_entities.CATEGORIES
        | kinds.CATEGORIES
    )
)
