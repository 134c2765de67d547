"""What a local HTTP target needs to know about its server."""

import msgspec

from gateway.core.secret import Secret
from gateway.upstream.circuit_breaker import CircuitBreakerSettings


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One local server's address, key and limits. Times in seconds."""

    base_url: str
    api_key: Secret | None = None
    trusted_host: bool = False  # the address is the user's own although it is a public one
    connect_seconds: float = 3.0
    header_seconds: float = 600.0  # some servers send their header only after a long prefill
    idle_seconds: float = 60.0  # longest silence inside an answer
    retries: int = 2  # further tries after a passing fault, before the first byte
    retry_pause: float = 0.25  # first pause between tries; it doubles, with jitter
    most_answer_bytes: int = 64 * 2**20  # unpacked
    most_vector_bytes: int = 256 * 2**20  # unpacked, for embeddings
    ca_file: str | None = None  # further certificate authorities (PEM)
    poll_seconds: float = 15.0  # between looks at a healthy server
    poll_seconds_down: float = 3.0  # between looks at one that does not answer
    breaker: CircuitBreakerSettings = CircuitBreakerSettings()
