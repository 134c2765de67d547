"""How many connections the system's limit of open files allows for."""

import resource

import pytest

from gateway.server.descriptors import affordable_connections


@pytest.mark.parametrize(
    ("limit", "wanted", "affordable"),
    [
        (1_048_576, 1024, 1024),
        (1024, 1024, 448),
        (1024, 100, 100),
        (256, 1024, 64),
        (8, 1024, 1),
        (resource.RLIM_INFINITY, 5000, 5000),
    ],
)
def test_connections_leave_room_for_upstreams_and_files(
    monkeypatch: pytest.MonkeyPatch, limit: int, wanted: int, affordable: int
) -> None:
    """Each connection may need a second one, to the server that answers it."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert affordable_connections(wanted) == affordable
