"""What a cloud target needs to know about its provider."""

import ipaddress
from urllib.parse import urlsplit

import msgspec

from gateway.core.secret import Secret
from gateway.upstream.circuit_breaker import CircuitBreakerSettings


class CloudSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's address, key and limits. Times in seconds."""

    base_url: str
    api_key: Secret | None = None
    connect_seconds: float = 3.0
    header_seconds: float = 120.0  # from the request to the beginning of the answer
    idle_seconds: float = 60.0  # longest silence inside an answer
    retries: int = 2  # further tries after a passing fault, before the first byte
    retry_pause: float = 0.25  # first pause between tries; it doubles, with jitter
    most_answer_bytes: int = 64 * 2**20  # unpacked
    most_vector_bytes: int = 256 * 2**20  # unpacked, for embeddings
    proxy: str | None = None  # the environment's proxy variables are never used
    ca_file: str | None = None  # further certificate authorities (PEM), for a provider behind a private one
    breaker: CircuitBreakerSettings = CircuitBreakerSettings()


def is_encrypted(base_url: str) -> bool:
    """HTTPS, or an address that does not cross the internet (a relay of the user's own on this machine or network)."""
    url = urlsplit(base_url)
    if url.scheme == "https" or url.hostname == "localhost":
        return True
    try:
        address = ipaddress.ip_address(url.hostname or "")
    except ValueError:
        return False
    return address.is_loopback or address.is_private
