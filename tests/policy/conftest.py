"""Fixtures of the policy tests."""

import pytest

from gateway.policy import Policy
from tests.policy.house import SHAPE, policy_of


@pytest.fixture
def shape() -> Policy:
    """The language's first shape, with one local and one cloud target."""
    return policy_of(SHAPE)
