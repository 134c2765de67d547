"""The gateway under audit: a process of its own, with a configuration of its own, its targets led to recorders."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gateway.app.keys.stored_keys import stored_keys
from gateway.cli.audit.cases import KEY, OTHER_KEY, OWNER_KEY, STRICT_KEY
from gateway.settings import Settings
from gateway.settings.servers import ServerTargetConfig

COMMAND = (sys.executable, "-m", "gateway")
_START_SECONDS = 120.0
_SECRETS = {
    "ADUANA_AUDIT_KEY": KEY,
    "ADUANA_AUDIT_OTHER_KEY": OTHER_KEY,
    "ADUANA_AUDIT_OWNER_KEY": OWNER_KEY,
    "ADUANA_AUDIT_STRICT_KEY": STRICT_KEY,
}
_KEYS: dict[str, Any] = {
    "audit": {"secret": "env:ADUANA_AUDIT_KEY"},
    "other": {"secret": "env:ADUANA_AUDIT_OTHER_KEY"},
    "owner": {"secret": "env:ADUANA_AUDIT_OWNER_KEY", "tags": ["private"]},
    "strict": {"secret": "env:ADUANA_AUDIT_STRICT_KEY"},
}
_POLICY = """
version: 1
labels:
  default: public
  tags: {private: sensitive, public: public}
  findings: {other: sensitive}
tags: [work]
keys: {strict: {default: sensitive}}
aliases: {letters: {default: sensitive}}
otherwise: {prefer: [cloud, home]}
"""


class DidNotStart(Exception):
    """Error of a gateway under audit that never listened; the argument is what it printed."""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway under audit keeps its state, where its targets are, and what it takes over from the user."""

    folder: Path
    cloud: str
    home: str
    command: Sequence[str] = COMMAND
    settings: Settings | None = None

    def write(self, *, own_policy: bool = False, wait: float = 20.0, seconds: float | None = None) -> Path:
        """Write the configuration file.

        Args:
            own_policy: Whether the user's policy decides, instead of the audit's own.
            wait: Seconds for a target's answer.
            seconds: Seconds for an inspection. None: as the user has it, or the default.
        """
        config: dict[str, Any] = {"inspection": self._inspection(seconds)}
        if own_policy and self.settings is not None:
            config |= _own(self.settings, self.cloud, self.home, wait) | {"keys": self._keys(self.settings)}
        else:
            self.policy_file.write_text(_POLICY, "utf-8")
            config |= {
                "policy": [str(self.policy_file)],
                "targets": {
                    "home": _target(self.home, "local", "sensitive", wait, ["rerank"]),
                    "cloud": _target(self.cloud, "cloud", "public", wait, []),
                },
                "models": {"auto": {}, "diary": {"tags": ["private"]}, "letters": {}},
                "keys": _KEYS,
                "unknown_model": "auto",
                "responses": {"store": "on"},
            }
        file = self.folder / "aduana.yaml"
        file.write_text(json.dumps(config), "utf-8")  # JSON is YAML
        return file

    @property
    def policy_file(self) -> Path:
        """Return the file of the audit's own policy: the cloud first, and at home whatever is not public."""
        return self.folder / "policy.yaml"

    @property
    def state(self) -> Path:
        """Return the directory for ledger and caches."""
        return self.folder / "state"

    def _keys(self, settings: Settings) -> dict[str, Any]:
        """Return the user's keys, which the policy may name; the audit asks with the first one."""
        tags = {name: key.tags for name, key in settings.keys.items()}
        tags |= {key.name: key.tags for key in stored_keys(settings) if key.name not in tags}
        keys: dict[str, Any] = {}
        for name, own in tags.items():
            file = self.folder / f"{name}.key"
            file.write_text(secrets.token_hex(16), "utf-8")
            keys[name] = {"secret": f"file:{file}" if keys else "env:ADUANA_AUDIT_KEY", "tags": sorted(own)}
        return keys

    def _inspection(self, seconds: float | None) -> dict[str, Any]:
        # Only what the user wrote: defaults stay the gateway's.
        own = self.settings.inspection.model_dump(mode="json", exclude_unset=True) if self.settings else {}
        limit = {"seconds": seconds if seconds is not None else max(10.0, own.get("seconds", 0))}
        # Models that keep what was planted for another reason would hide a hole in patterns or memory, and what they
        # think of made-up stories is no matter of the audit. Who has configured them has them audited too.
        return {"judge": {"mode": "off"}, "names": "off"} | own | limit


def _target(url: str, zone: str, ceiling: str, wait: float, further: list[str]) -> dict[str, Any]:
    return {
        "kind": "openai",
        "zone": zone,
        "base_url": url,
        "model": "m",
        "ceiling": ceiling,
        "context": 400_000,
        "header_seconds": wait,
        "idle_seconds": wait,
        "endpoints": ["chat", "completions", "embeddings", *further],
    }


def _own(settings: Settings, cloud: str, home: str, wait: float) -> dict[str, Any]:
    """Return the user's policy, names and keys, with every target led to a recorder."""
    targets: dict[str, Any] = {}
    for name, target in settings.targets.items():
        if isinstance(target, ServerTargetConfig) and target.zone == "cloud":
            targets[name] = _target(cloud, "cloud", target.effective_ceiling.word, wait, [])
        else:
            targets[name] = _target(home, "local", "sensitive", wait, ["rerank"])
    aliases = settings.aliases().items()
    return {
        "policy": [str(file.absolute()) for file in settings.policy],
        "targets": targets,
        "models": {name: {"targets": alias.targets, "tags": sorted(alias.tags)} for name, alias in aliases},
        "unknown_model": settings.unknown_model,
        "header_facts": list(settings.header_facts),
        "timezone": settings.timezone,
    }


class Running:
    """Gateway under audit that listens."""

    def __init__(self, url: str, process: "subprocess.Popen[str]") -> None:
        self.url = url
        self.key = KEY
        self._process = process

    @property
    def pid(self) -> int:
        """Return the id of its process."""
        return self._process.pid

    def reload(self) -> None:
        """Ask the gateway to read its policy again."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """Kill the gateway, as a power cut would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def started(setup: Setup, config: Path) -> Iterator[Running]:
    """Start a gateway with this configuration; stop it when the context ends.

    Raises:
        DidNotStart: It never listened.
    """
    command = [*setup.command, "serve", "--config", str(config), "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ADUANA_")}
    environment |= {"ADUANA_STATE_DIR": str(setup.state), "NO_COLOR": "1"} | _SECRETS
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    lines: list[str] = []
    found = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "listening" in line and "http://" in line:
                found.set()
        found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        found.wait(_START_SECONDS)
        url = next((_address(line) for line in lines if "listening" in line and "http://" in line), "")
        if not url:
            raise DidNotStart("".join(lines))
        _until_ready(url)
        yield Running(url, process)
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()


def _address(line: str) -> str:
    rest = line[line.index("http://") :]
    return rest.split()[0].rstrip("/.,;\"'")


def _until_ready(url: str) -> None:
    """Wait until the gateway takes requests, or a while: the cases then show what is wrong."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=5):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            error.close()
            time.sleep(0.1)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
