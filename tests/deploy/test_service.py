"""The systemd unit: valid, tight, and its command, secrets and times fit the gateway."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.settings.server import ServerSettings

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def unit(deploy: Path) -> str:
    """Return the unit's text."""
    return (deploy / "aduana.service").read_text(encoding="utf-8")


def values(unit: str, name: str) -> list[str]:
    """Return all values of one setting of the unit."""
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def installed(unit: str) -> str:
    """Return the unit with a program in ExecStart that exists on every machine."""
    return re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit, flags=re.MULTILINE)


def with_card(unit: str) -> str:
    """Return the unit as somebody with an NVIDIA card would edit it."""
    unit = unit.replace("\nPrivateDevices=yes", "\n#PrivateDevices=yes")
    return re.sub(r"^#(DeviceAllow=/dev/nvidia|MemoryDenyWriteExecute=no)", r"\1", unit, flags=re.MULTILINE)


@pytest.mark.parametrize("edit", [installed, lambda unit: installed(with_card(unit))], ids=["as it is", "with a card"])
def test_systemd_understands_it(edit: Callable[[str], str], unit: str, tmp_path: Path, tool) -> None:
    """systemd-analyze verify has nothing to say."""
    (tmp_path / "aduana.service").write_text(edit(unit))
    done = tool("systemd-analyze", "verify", tmp_path / "aduana.service")
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_understands_the_socket(deploy: Path, unit: str, tmp_path: Path, tool) -> None:
    """The socket's unit fits the service's; its port is the usual one, and only this machine reaches it."""
    socket = (deploy / "aduana.socket").read_text(encoding="utf-8")
    (tmp_path / "aduana.socket").write_text(socket)
    (tmp_path / "aduana.service").write_text(installed(unit))
    done = tool("systemd-analyze", "verify", tmp_path / "aduana.socket")
    assert (done.returncode, done.stderr) == (0, "")
    server = ServerSettings()
    assert values(socket, "ListenStream") == [f"{server.host}:{server.port}"]
    assert (values(socket, "IPAddressDeny"), values(socket, "IPAddressAllow")) == (["any"], ["localhost"])


def test_its_exposure_is_low(unit: str, tmp_path: Path, tool) -> None:
    """systemd-analyze security rates its exposure 1.5 of 10 at most (9.6 is an ordinary service)."""
    path = tmp_path / "aduana.service"
    path.write_text(installed(unit))
    done = tool("systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", path)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_its_command_is_understood(unit: str, aduana_arguments) -> None:
    """ExecStart's arguments are ones that the command has."""
    program, *arguments = shlex.split(values(unit, "ExecStart")[0])
    assert Path(program).name == "aduana"
    assert aduana_arguments(arguments).command == "serve"


def test_its_state_directory_is_the_gateways(unit: str) -> None:
    """The directory that systemd makes is the one that the gateway is told to use."""
    environment = dict(pair.split("=", 1) for pair in shlex.split(values(unit, "Environment")[0]))
    assert environment["ADUANA_STATE_DIR"] == "/var/lib/" + values(unit, "StateDirectory")[0]


def test_running_answers_may_end(unit: str) -> None:
    """systemd gives more time to stop than the gateway gives running answers."""
    assert int(values(unit, "TimeoutStopSec")[0]) >= ServerSettings().drain_seconds + 10


def test_secrets_of_the_configuration_are_handed_over(deploy: Path, unit: str) -> None:
    """Every secret file that the configuration names is one that systemd makes, commented ones commented in both."""
    text = (deploy / "aduana-service.yaml").read_text(encoding="utf-8")
    for mark in ("", "#"):
        lines = [line for line in text.splitlines() if line.lstrip().startswith("#") is bool(mark)]
        named = {
            name for line in lines for name in re.findall(r'"file:/run/credentials/aduana\.service/([^"]+)"', line)
        }
        handed = {value.split(":")[0] for value in values(unit, mark + "LoadCredential")}
        assert named == handed != set()


def test_a_configuration_that_does_not_load_is_not_tried_again(unit: str, tmp_path: Path) -> None:
    """The exit status for an unusable configuration is the one on which systemd does not restart."""
    (tmp_path / "aduana.yaml").write_text("servr: {}\n")
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--config", str(tmp_path / "aduana.yaml")],
        cwd=REPOSITORY,
        env={"ADUANA_STATE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "servr" in done.stderr
    assert values(unit, "RestartPreventExitStatus") == [str(done.returncode)]


def test_its_user_is_the_one_that_is_made(deploy: Path, unit: str) -> None:
    """sysusers makes the unit's user; the packet filter looks at the same one."""
    user = values(unit, "User")[0]
    assert re.search(rf"^u {user} - ", (deploy / "aduana.sysusers").read_text(), re.MULTILINE)
    assert f'meta skuid "{user}"' in (deploy / "nftables.conf").read_text()


def test_nothing_but_this_machine_can_be_reached(unit: str) -> None:
    """As it stands, the kernel keeps the service on this machine, whatever its policy says."""
    assert values(unit, "IPAddressDeny") == ["any"]
    assert values(unit, "IPAddressAllow") == ["localhost"]
