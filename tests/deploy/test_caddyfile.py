"""The proxy's file: valid, and its name and port are those that the page tells people to set."""

import re
from pathlib import Path

from gateway.settings.server import ServerSettings


def test_caddy_understands_it(deploy: Path, tool, tmp_path: Path) -> None:
    """caddy validate has nothing against it."""
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = tool("caddy", "validate", "--adapter", "caddyfile", "--config", deploy / "Caddyfile", env=env)
    assert done.returncode == 0, done.stderr


def test_it_asks_the_gateway_where_it_listens(deploy: Path) -> None:
    """Its upstream is the gateway's usual address."""
    server = ServerSettings()
    named = re.findall(r"reverse_proxy (\S+)", (deploy / "Caddyfile").read_text(encoding="utf-8"))
    assert named == [f"{server.host}:{server.port}"]
