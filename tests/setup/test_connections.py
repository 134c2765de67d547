"""Which servers of this machine talk to whom, by Linux's tables."""

import os
import socket
import sys
from pathlib import Path

import pytest

from gateway.setup.connections import outside_of, server_at

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1 0 100 0 0 10 0\n"
HERE, NOWHERE = "0100007F:1F90", "00000000:0000"  # 127.0.0.1:8080
ELSEWHERE, AT_HOME = "08080808:01BB", "1401A8C0:01BB"  # 8.8.8.8:443, 192.168.1.20:443


def a_machine(folder: Path, remotes: tuple[str, ...], owners: dict[int, tuple[str, int, tuple[int, ...]]]) -> Path:
    """A /proc with a server at 8080 (socket 1) and further connections (2, 3, …); processes: name, parent, sockets."""
    rows = ROW.format(local=HERE, remote=NOWHERE, state="0A", inode=1)
    for number, remote in enumerate(remotes, 2):
        rows += ROW.format(local=HERE, remote=remote, state="01", inode=number)
    (folder / "net").mkdir()
    (folder / "net" / "tcp").write_text(HEAD + rows)
    for pid, (name, parent, sockets) in owners.items():
        (folder / str(pid) / "fd").mkdir(parents=True)
        (folder / str(pid) / "comm").write_text(name + "\n")
        (folder / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 0 0\n")
        for inode in sockets:
            (folder / str(pid) / "fd" / str(inode)).symlink_to(f"socket:[{inode}]")
    return folder


def test_a_server_that_passes_requests_on_is_seen(tmp_path: Path) -> None:
    """Connections of the server and of what it started count, those of others and those at home do not."""
    owners = {10: ("ollama", 1, (1, 2)), 11: ("runner", 10, (3,)), 12: ("browser", 1, (4,))}
    proc = a_machine(tmp_path, (AT_HOME, ELSEWHERE, ELSEWHERE), owners)
    assert server_at(8080, proc) == 10
    assert [(one.name, one.address, one.port) for one in outside_of(10, proc)] == [("runner", "8.8.8.8", 443)]


def test_a_server_that_keeps_to_itself(tmp_path: Path) -> None:
    """A server with connections at home alone has none to tell, and nobody listens at another port."""
    proc = a_machine(tmp_path, (AT_HOME,), {10: ("llama-server", 1, (1, 2))})
    assert list(outside_of(10, proc)) == []
    assert server_at(8081, proc) is None


def test_a_system_without_such_tables(tmp_path: Path) -> None:
    """Nothing is known, and nothing fails."""
    assert server_at(8080, tmp_path) is None
    assert list(outside_of(10, tmp_path)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_real_server_is_found() -> None:
    """A socket that listens is this process's, by whichever version of IP."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as listener:
            try:
                listener.bind((host, 0))
            except OSError:
                continue  # a machine without this version
            listener.listen()
            assert server_at(listener.getsockname()[1]) == os.getpid()
