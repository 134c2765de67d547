"""`egress:`, the process that alone has the clouds' keys and opens connections to them."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gateway.settings.section import SecretReference, Section


class EgressTlsConfig(Section):
    """Certificates between the gateway and an egress process on another machine."""

    authority: Path
    """The certificate (PEM) of an authority that signs for these two alone: whoever it signed for is let in."""
    certificate: Path
    """This side's own certificate (PEM). That of the egress process names the host of `address`."""
    key: Path
    """Its key (PEM), without a passphrase."""


class EgressConfig(Section):
    """The way out to clouds: a process of its own, that asks for a signed clearance. docs/seal.md tells the rest."""

    process: Literal["child", "unit", "none"] = "child"
    """`child`: the gateway starts it; no cloud key is in the gateway's own process. `unit`: another user's process,
    `aduana egress`, answers at `socket` or `address`, so that the kernel or the cluster can keep the gateway itself off
    the internet. `none`: the gateway asks clouds by itself."""
    socket: Path | None = None
    """For `unit`: the Unix socket, as `/run/aduana-egress/egress.sock`. Its folder says who may open it."""
    address: str | None = None
    """For `unit` on another machine or in another pod: its host and port, as `egress:8485`. Needs `tls`."""
    tls: EgressTlsConfig | None = None
    """For `address`: the certificates by which both sides know each other."""
    key: SecretReference | None = Field(default=None)
    """For `unit`: where the key of the clearances' signatures stands, `file:PATH`. Both processes read it, and nobody
    else: `openssl rand -hex 32`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.process == "unit" and ((self.socket is None) == (self.address is None) or self.key is None):
            raise ValueError("'process: unit' needs a 'key', and either a 'socket' or an 'address'")
        if (self.address is None) != (self.tls is None):
            raise ValueError("'address' and 'tls' belong together: what is said between machines is encrypted")
        if self.process != "unit" and any(one is not None for one in (self.socket, self.address, self.key)):
            raise ValueError("'socket', 'address' and 'key' are for 'process: unit' only")
        return self

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is not None:
            _split(value)
        return value

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The parts of `address`, which is set."""
        return _split(self.address or "")


def _split(address: str) -> tuple[str, int]:
    """Return host and port.

    Raises:
        ValueError: They are no such pair.
    """
    url = urlsplit(f"//{address}")
    try:
        port = url.port
    except ValueError:
        port = None
    if not url.hostname or not port or url.path or url.query or url.fragment or "@" in url.netloc:
        raise ValueError("write it as host:port, as egress:8485")
    return url.hostname, port
