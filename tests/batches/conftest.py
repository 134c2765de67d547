"""Where a store lies: in a file, and in a database that gateways share."""

from pathlib import Path

import pytest

from tests.standins.postgresql import Postgresql
from tests.standins.shelf import Shelf


@pytest.fixture(params=["sqlite", "postgresql"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """An empty place, once of each kind."""
    if request.param == "sqlite":
        return Shelf(tmp_path)
    server: Postgresql = request.getfixturevalue("postgresql")
    return Shelf(tmp_path, server.fresh())


@pytest.fixture
def shared(postgresql: Postgresql, tmp_path: Path) -> Shelf:
    """An empty database that gateways share."""
    return Shelf(tmp_path, postgresql.fresh())
