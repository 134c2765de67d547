"""One inspector for the room's tests: compiling its patterns takes a second or two."""

import pytest

from gateway.privacy import Inspector


@pytest.fixture(scope="session")
def inspector() -> Inspector:
    return Inspector()


@pytest.fixture(scope="session")
def plain_inspector() -> Inspector:
    """As where Hyperscan has no wheel."""
    return Inspector(hyperscan=False)
