"""Settings of a local HTTP target: what it needs to know about its server."""

from math import inf

import msgspec

from gateway.core.document import JsonObject
from gateway.core.secret import Secret
from gateway.upstream.exchange import ExchangeSettings


class ServerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One of several servers that run the same model. `weight`: how much it can do, beside the others."""

    name: str
    base_url: str
    weight: float = 1.0


class HttpSettings(ExchangeSettings, frozen=True, kw_only=True):
    """The address, key and limits of a target's server, or of its several servers. Times in seconds."""

    base_url: str = ""
    servers: tuple[ServerAddress, ...] = ()  # in place of `base_url`, where several run the same model
    api_key: Secret | None = None
    trusted_host: bool = False  # the address is the user's own although it is a public one
    connect_seconds: float = 3.0
    header_seconds: float = inf  # a long prompt is read in silence
    slots: int = 16  # requests that a server of weight 1 gets at once
    queue: int = 64  # further ones that may wait here
    queue_wait: float = 120.0  # one that would have to wait longer, as far as can be foreseen, is refused at once
    ca_file: str | None = None  # further certificate authorities (PEM)
    workflow: JsonObject | None = None  # of ComfyUI, with named places; None: the server has another API
    poll_seconds: float = 15.0  # between looks at a healthy server
    poll_seconds_down: float = 3.0  # between looks at one that does not answer
    load_seconds: float = 2.0  # between questions for its load, where there are several
