"""What the doctor says of the ledger's growth."""

import pytest

from gateway.cli.doctor.state import _growth
from gateway.ledger import Examination
from gateway.settings.retention import RetentionConfig

GROWS = "it grows by 0.60 MB for each 1,000 requests"


@pytest.mark.parametrize(
    ("retention", "used", "lately", "said"),
    [
        (RetentionConfig(), 10**8, 1000, f"{GROWS}, which stay 400 days; there is no bound (retention.max_bytes)"),
        (RetentionConfig(days=0), 10**8, 1000,
         f"{GROWS}, which stay for ever; there is no bound (retention.max_bytes)"),
        (RetentionConfig(max_bytes="160 MB"), 10**8, 1000,
         f"{GROWS}; the bound of 160 MB will be reached in about 100 days, then the oldest make room"),
        (RetentionConfig(max_bytes="1 GB"), 10**8, 1000,
         f"{GROWS}, which stay 400 days; the bound of 1,000 MB is not reached before"),
        (RetentionConfig(max_bytes="100 MB"), 98 * 10**6, 1000,
         f"{GROWS}; the bound of 100 MB is reached, so the oldest make room"),
        (RetentionConfig(max_bytes="1 GB"), 10**8, 0,
         f"{GROWS}, which stay 400 days; the bound of 1,000 MB is not reached before"),
    ],
)  # fmt: skip
def test_when_the_bound_is_reached(retention: RetentionConfig, used: int, lately: float, said: str) -> None:
    """How fast it grows, and what ends that: the age, the size, or nothing."""
    found = Examination(file=None, used=used, requests=10_000, lately=lately, newest_bytes=600.0)
    assert [finding.text for finding in _growth(found, retention)] == [said]


def test_with_few_requests_nothing_is_said() -> None:
    """It would mostly be the empty tables that are measured."""
    assert not list(_growth(Examination(file=None), RetentionConfig()))
