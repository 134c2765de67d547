"""`server:`, aliases, keys, traces and logs."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from gateway.settings.limits import LimitConfig
from gateway.settings.section import Name, SecretReference, Section, Tag

_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/*?#@]+/?")
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on


class TlsConfig(Section):
    """HTTPS by the gateway itself, on all its ports. Files that are written anew are taken over within seconds."""

    certificate: Path
    """The certificate and those up to its authority (PEM), as `fullchain.pem`."""
    key: Path
    """Its private key (PEM), without a passphrase. Other users of the machine must not be able to read it."""


class ServerSettings(Section):
    """Where the gateway listens and what it accepts."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs keys (`keys`, or `aduana keys`), or `anonymous: true`."""
    port: int = Field(default=8484, ge=0, le=65535)
    """TCP port; 0 takes a free one and prints it."""
    ollama_port: int | None = Field(default=None, ge=1, le=65535)
    """As `11434`: answer on this port too, for apps that look for Ollama at its usual address. Both answer everything.
    Default: no second port."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that answer on these ports, each on a core of its own. Several need a ledger in PostgreSQL, and targets
    that are asked over HTTP. `slots` of targets and `max_connections` count in each of them."""
    tls: TlsConfig | None = None
    """HTTPS instead of HTTP. Default: HTTP."""
    anonymous: bool | None = None
    """Answer without an API key. Default: yes on loopback as long as there are no keys, neither here nor made by
    `aduana keys`, and no `users.providers`; else no."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names in the `Host` header that are ours (against DNS rebinding). Loopback and `host` always are."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages (scheme://host:port) that may call the gateway from a browser; there is no wildcard. Default: none."""
    built_in_tools: Literal["leave_out", "refuse"] = "leave_out"
    """Tools that only their provider can run (a search by OpenAI or Anthropic): `leave_out` tells the model that it has
    none of them and goes on, `refuse` answers 400."""
    max_body_bytes: int = Field(default=32 * 2**20, ge=1024)
    """Largest request body, in bytes."""
    body_seconds: float = Field(default=30.0, gt=0)
    """Time for a client to send its body."""
    request_seconds: float = Field(default=600.0, gt=0)
    """Time for a whole request, answer included."""
    write_seconds: float = Field(default=30.0, gt=0)
    """A client that takes no byte for this long is cut off."""
    drain_seconds: float = Field(default=30.0, ge=0)
    """After SIGTERM, running answers may go on for this long; then they end with an error."""
    max_connections: int = Field(default=1024, ge=1)
    """Connections at once; fewer where the limit of open files is low. For one more, the longest idle one is closed."""

    @field_validator("allowed_origins")
    @classmethod
    def _each_is_one_page(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if _ORIGIN.fullmatch(origin) is None:
                raise ValueError(
                    f"{origin!r} is not the origin of a page: write scheme://host:port, as 'https://chat.lan'. "
                    "There is no wildcard: with one, every page that a browser opens could use the gateway"
                )
        return value

    @property
    def url(self) -> str:
        """Return where the gateway is asked from this machine."""
        host = _EVERYWHERE.get(self.host, self.host)
        return f"http{'s' if self.tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}"


class ModelAlias(Section):
    """A model name that clients may ask for."""

    targets: tuple[Name, ...] | None = None
    """Targets that may answer under this name, still within the policy. Default: all."""
    tags: frozenset[Tag] = frozenset()
    """Tags that every request under this name carries."""


class ApiKey(Section):
    """A key that clients present. Its name stands in the ledger and in policies, its secret nowhere."""

    secret: SecretReference
    """`env:NAME` or `file:PATH`. A file that is written anew counts within seconds, and its old secret ends; no two
    keys may have the same one."""
    user: str | None = None
    """Person or group for the ledger."""
    tags: frozenset[Tag] = frozenset()
    """Tags that every request with this key carries."""
    models: frozenset[str] | None = None
    """Model names that this key may ask for. Default: all."""
    admin: bool = False
    """May use /admin and see explanations."""
    limits: LimitConfig = LimitConfig()
    """Limits of this key, instead of an entry below `limits.keys`."""
    metrics: bool = False
    """May read `/metrics`, which needs such a key (or an administrator's) where `server.host` is not loopback."""
    front_end: bool = False
    """Belongs to a program that several people use, as Open WebUI: what it says of who asks is believed."""


class TraceConfig(Section):
    """OpenTelemetry traces: one span a request, without content. Needs `aduana extras install traces`."""

    endpoint: str | None = None
    """Full URL of a collector's OTLP/HTTP receiver, as `http://127.0.0.1:4318/v1/traces`. Default: no traces."""
    headers: dict[str, SecretReference] = Field(default_factory=dict)
    """Headers for the collector: name → `env:NAME` or `file:PATH`."""
    ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of requests that are traced."""


class LogConfig(Section):
    """What is logged. Prompts, answers, keys and header values never are."""

    format: Literal["console", "json"] = "console"
    """`console` for a person at a terminal, `json` for programs: one object a line."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least grave events that are written."""
