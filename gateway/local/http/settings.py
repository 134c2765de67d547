"""Settings of a local HTTP target: what it needs to know about its server."""

from math import inf

from gateway.core.secret import Secret
from gateway.upstream.exchange import ExchangeSettings


class HttpSettings(ExchangeSettings, frozen=True, kw_only=True):
    """One local server's address, key and limits. Times in seconds."""

    base_url: str
    api_key: Secret | None = None
    trusted_host: bool = False  # the address is the user's own although it is a public one
    connect_seconds: float = 3.0
    header_seconds: float = inf  # a long prompt is read in silence
    slots: int = 16  # requests that the server gets at once
    queue: int = 64  # further ones that may wait here
    queue_wait: float = 120.0  # one that would have to wait longer, as far as can be foreseen, is refused at once
    ca_file: str | None = None  # further certificate authorities (PEM)
    poll_seconds: float = 15.0  # between looks at a healthy server
    poll_seconds_down: float = 3.0  # between looks at one that does not answer
