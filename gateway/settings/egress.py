"""`egress:`, the process that alone has the clouds' keys and opens connections to them."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from gateway.settings.section import SecretReference, Section


class EgressConfig(Section):
    """The way out to clouds: a process of its own, that asks for a signed clearance. docs/seal.md tells the rest."""

    process: Literal["child", "unit", "none"] = "child"
    """`child`: the gateway starts it; no cloud key is in the gateway's own process. `unit`: another user's process,
    `aduana egress`, answers at `socket`, so that the kernel can keep the gateway itself off the internet. `none`: the
    gateway asks clouds by itself."""
    socket: Path | None = None
    """For `unit`: the Unix socket, as `/run/aduana-egress/egress.sock`. Its folder says who may open it."""
    key: SecretReference | None = Field(default=None)
    """For `unit`: where the key of the clearances' signatures stands, `file:PATH`. Both processes read it, and nobody
    else: `openssl rand -hex 32`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.process == "unit" and (self.socket is None or self.key is None):
            raise ValueError("'process: unit' needs a 'socket' and a 'key'")
        if self.process != "unit" and (self.socket is not None or self.key is not None):
            raise ValueError("'socket' and 'key' are for 'process: unit' only")
        return self
