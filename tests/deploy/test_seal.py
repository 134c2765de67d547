"""The files of the seal: two users, services and networks; the way out has the keys, and the gateway no way out."""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import load_settings
from tests.deploy.test_nftables import CONNECT, OUTSIDE, SET_UP, in_namespace
from tests.deploy.test_service import installed, values

__all__ = ["in_namespace"]
GATEWAY, EGRESS = 65534, 65533  # users that this machine does not have, or not for this
PRIVATE = "10.1.2.3"


@pytest.fixture
def unit(deploy: Path) -> str:
    """Return the unit of the way out."""
    return (deploy / "aduana-egress.service").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def as_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests ask clouds without the process that these are about."""
    monkeypatch.delenv("ADUANA_EGRESS__PROCESS")


@pytest.fixture
def drop_in(deploy: Path) -> str:
    """Return what the gateway's own unit gets beside it."""
    return (deploy / "aduana-seal.conf").read_text(encoding="utf-8")


def test_systemd_understands_both_together(deploy: Path, unit: str, drop_in: str, tmp_path: Path, tool) -> None:
    """systemd-analyze verify has nothing to say about either service, nor about what is added to the gateway's."""
    (tmp_path / "aduana-egress.service").write_text(installed(unit))
    (tmp_path / "aduana.service").write_text(installed((deploy / "aduana.service").read_text(encoding="utf-8")))
    (tmp_path / "aduana.service.d").mkdir()
    (tmp_path / "aduana.service.d" / "seal.conf").write_text(drop_in)
    done = tool("systemd-analyze", "verify", tmp_path / "aduana-egress.service", tmp_path / "aduana.service")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_way_out_is_little_exposed(unit: str, tmp_path: Path, tool) -> None:
    """systemd-analyze security rates it 2 of 10 at most, although it may connect to the internet."""
    path = tmp_path / "aduana-egress.service"
    path.write_text(installed(unit))
    done = tool("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", path)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_the_gateway_has_no_way_out_and_no_key_of_a_cloud(deploy: Path, unit: str, drop_in: str) -> None:
    """The gateway's unit reaches this machine alone, and gets the key of the signatures and no other with the seal."""
    gateway = (deploy / "aduana.service").read_text(encoding="utf-8")
    assert values(gateway, "IPAddressDeny") == ["any"]
    assert values(gateway, "IPAddressAllow") == ["localhost"]
    assert values(drop_in, "IPAddressAllow") == []
    assert [one.split(":")[0] for one in values(drop_in, "LoadCredential")] == ["egress-key"]
    assert "openai-key" in [one.split(":")[0] for one in values(unit, "LoadCredential")]
    assert set(values(unit, "User")) & set(values(gateway, "User")) == set()
    assert values(unit, "Group") == values(gateway, "Group")  # who may open the socket


def test_both_find_the_socket_and_the_key(
    unit: str, drop_in: str, aduana_arguments, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the units say makes a configuration that loads, with one socket, and a key that each of them may read."""
    assert aduana_arguments(shlex.split(values(unit, "ExecStart")[0])[1:]).command == "egress"
    pairs = [pair for text in (drop_in, unit) for line in values(text, "Environment") for pair in shlex.split(line)]
    for name, value in (pair.split("=", 1) for pair in pairs if pair.startswith("ADUANA_EGRESS__")):
        clean_environment.setenv(name, value)
    clean_environment.setenv("ADUANA_STATE_DIR", str(tmp_path))
    (tmp_path / "aduana.yaml").write_text("{}")
    egress = load_settings(tmp_path / "aduana.yaml").egress
    assert egress.process == "unit"
    assert egress.socket is not None
    assert egress.socket.parent == Path("/run") / values(unit, "RuntimeDirectory")[0]
    assert egress.key == "file:/run/credentials/aduana-egress.service/egress-key"
    assert "file:/run/credentials/aduana.service/egress-key" in drop_in


def test_its_user_is_made(deploy: Path, unit: str) -> None:
    """sysusers makes it; the packet filter looks at the same one."""
    user = values(unit, "User")[0]
    assert re.search(rf"^u {user} - ", (deploy / "aduana.sysusers").read_text(), re.MULTILINE)
    assert f'meta skuid "{user}"' in (deploy / "nftables-egress.conf").read_text()


@pytest.fixture
def outcomes(deploy: Path, tmp_path: Path, in_namespace) -> Callable[..., tuple[list[str], str]]:
    """Return what becomes of connections, each of a user to an address, and the counters behind them."""
    text = (deploy / "nftables-egress.conf").read_text(encoding="utf-8")
    text = text.replace('skuid "aduana-egress"', f"skuid {EGRESS}").replace('skuid "aduana"', f"skuid {GATEWAY}")
    rules = tmp_path / "nftables.conf"
    rules.write_text(text)

    def run(*tries: tuple[int, str, int]) -> tuple[list[str], str]:
        route = "ip route add default via 192.0.2.254"
        script = "\n".join(
            f"{shutil.which('python3')} -c '{CONNECT.replace('443', str(port))}' {user} {address}"
            for user, address, port in tries
        )
        done = in_namespace(f"{SET_UP}\n{route}\nnft -f {rules}\n{script}\nnft list counters table inet aduana_seal")
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\n")[: len(tries)], done.stdout

    return run


def test_each_user_has_its_own_side(outcomes) -> None:
    """The gateway reaches this machine and private addresses, the way out HTTPS elsewhere; the rest is counted."""
    found, text = outcomes(
        (GATEWAY, OUTSIDE, 443),
        (GATEWAY, PRIVATE, 443),
        (GATEWAY, "127.0.0.1", 443),
        (EGRESS, OUTSIDE, 443),
        (EGRESS, OUTSIDE, 80),
        (EGRESS, PRIVATE, 443),
        (EGRESS, "127.0.0.1", 443),
        (0, OUTSIDE, 80),
    )
    assert found == ["stopped", "let out", "arrived", "let out", "stopped", "stopped", "stopped", "let out"]
    counted = dict(re.findall(r"counter (\w+) \{\s*packets (\d+)", text))
    assert counted == {"gateway_stopped": "1", "egress_stopped": "3", "egress_sent": "1"}


@pytest.fixture
def sealed(deploy: Path, read_yaml: Callable[[Path], Any]) -> Any:
    """Return compose.seal.yaml."""
    return read_yaml(deploy / "compose.seal.yaml")


def test_compose_understands_it(deploy: Path, tool) -> None:
    """The file is valid by the schema of the Compose specification."""
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", deploy / "compose.seal.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_way_out_is_in_the_open_network(sealed: Any) -> None:
    """The gateway's container joins no other network, and the way out no network of the gateway's."""
    assert sealed["services"]["egress"]["networks"] == ["out"]
    assert "networks" not in sealed["services"]["aduana"]
    assert set(sealed["networks"]) == {"out"}
    assert sealed["services"]["egress"]["env_file"] == ["egress.env"]
    assert "env_file" not in sealed["services"]["aduana"]


def test_the_containers_share_a_socket_and_a_key(
    sealed: Any, deploy: Path, aduana_arguments, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both mount the socket's folder, and read the key that up.sh makes."""
    services = sealed["services"]
    assert aduana_arguments(services["egress"]["command"]).command == "egress"
    for name in ("aduana", "egress"):
        assert services[name]["secrets"] == list(sealed["secrets"]) == ["egress-key"]
        assert "egress:/run/aduana-egress" in services[name]["volumes"]
        for variable, value in services[name]["environment"].items():
            clean_environment.setenv(variable, value)
        clean_environment.setenv("ADUANA_STATE_DIR", str(tmp_path))
        assert str(load_settings(deploy / "aduana.yaml").egress.socket) == "/run/aduana-egress/egress.sock"
    assert "egress-key" in (deploy / ".gitignore").read_text().split()
    assert " egress-key " in (deploy / "up.sh").read_text()
