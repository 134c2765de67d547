"""Every test of this folder runs twice: with the door in this process, and with the one behind the egress process."""

import pytest

from tests.standins.egress import SealedHere


@pytest.fixture(params=["own", "sealed"], autouse=True)
def door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which door the targets of a test have."""
    if request.param == "sealed":
        monkeypatch.setattr("gateway.cloud.target.OwnDoor", SealedHere)
    return str(request.param)
