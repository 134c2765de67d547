"""The packet filter, tried in a network namespace: the gateway's user gets out to the listed addresses only."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

USER = 65534  # nobody: plays the gateway's user, which this machine does not have
OUTSIDE = "192.0.2.2"

SET_UP = """
ip link set lo up
ip link add there type veth peer name here
ip address add 192.0.2.1/24 dev here
ip link set there up
ip link set here up
"""

CONNECT = """
import errno, os, socket, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
connection = socket.socket()
connection.settimeout(0.3)
try:
    connection.connect((sys.argv[2], 443))
except TimeoutError:
    print("let out")  # nobody is there to answer
except OSError as error:
    print({errno.EHOSTUNREACH: "stopped", errno.ECONNREFUSED: "arrived"}.get(error.errno, error))
"""


@pytest.fixture(scope="module")
def in_namespace() -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a shell script in a new network namespace that has an outside; skip where that is not possible."""
    missing = [
        name for name in ("nft", "ip", "unshare") if shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") is None
    ]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, nft, ip and unshare (missing: {', '.join(missing) or 'root'})")
    unshare = shutil.which("unshare") or "unshare"

    def run(script: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [unshare, "--net", "sh", "-ec", script], capture_output=True, text=True, check=False, timeout=60
        )

    if run(SET_UP).returncode != 0:
        pytest.skip("network namespaces with virtual cables can't be made here")
    return run


@pytest.fixture
def rules(deploy: Path, tmp_path: Path) -> Path:
    """Return the packet filter, written for a user that this machine has."""
    text, changed = re.subn(r'skuid "aduana"', f"skuid {USER}", (deploy / "nftables.conf").read_text(encoding="utf-8"))
    assert changed == 1
    path = tmp_path / "nftables.conf"
    path.write_text(text)
    return path


@pytest.fixture
def attempt(rules: Path, in_namespace) -> Callable[..., list[str]]:
    """Return what becomes of a user's connections after some commands, and the counter of what was stopped."""

    def run(user: int, *addresses: str, after: str = "") -> list[str]:
        tries = "\n".join(f"{sys.executable} -c '{CONNECT}' {user} {address}" for address in addresses)
        listing = "nft list counter inet aduana stopped"
        done = in_namespace(f"{SET_UP}\nnft -f {rules}\n{after}\n{tries}\n{listing}")
        assert done.returncode == 0, done.stderr
        outcomes = done.stdout.split("table", 1)[0].split("\n")[: len(addresses)]
        counted = re.search(r"packets (\d+)", done.stdout)
        assert counted
        return [*outcomes, counted[1]]

    return run


def test_it_is_valid_and_replaces_itself(rules: Path, in_namespace) -> None:
    """nft accepts the file, twice in a row, without a trace of the first time."""
    done = in_namespace(
        f"nft -f {rules}\nnft list ruleset > {rules}.1\nnft -f {rules}\nnft list ruleset | diff - {rules}.1"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_gateway_can_not_get_out(attempt) -> None:
    """The gateway's user is refused at once, and counted; this machine itself stays in reach."""
    assert attempt(USER, OUTSIDE, "127.0.0.1") == ["stopped", "arrived", "1"]


def test_other_users_are_left_alone(attempt) -> None:
    """Other users' connections, and packets of the kernel's own, are neither stopped nor counted."""
    assert attempt(0, OUTSIDE) == ["let out", "0"]


def test_listed_addresses_can_be_reached(attempt) -> None:
    """An address in the set of clouds can be reached, and only that one."""
    add = f"nft add element inet aduana cloud4 '{{ {OUTSIDE} }}'"
    assert attempt(USER, OUTSIDE, "192.0.2.3", after=add) == ["let out", "stopped", "1"]


def test_own_servers_can_be_reached(attempt) -> None:
    """An address in the set of one's own servers can be reached, too."""
    assert attempt(USER, OUTSIDE, after=f"nft add element inet aduana own4 '{{ {OUTSIDE} }}'") == ["let out", "0"]
