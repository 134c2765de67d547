"""Settings of a cloud target: what it needs to know about its provider."""

import ipaddress
from urllib.parse import urlsplit

from gateway.core.secret import Secret
from gateway.core.target import Api
from gateway.upstream.exchange import ExchangeSettings


class CloudSettings(ExchangeSettings, frozen=True, kw_only=True):
    """One provider's address, key and limits. Times in seconds."""

    base_url: str
    api: Api = Api.CHAT
    api_key: Secret | None = None
    api_version: str = ""  # of an Azure-style service: stands in the query, and the key in a header of its own
    anthropic_version: str = "2023-06-01"
    anthropic_betas: tuple[str, ...] = ()  # features under test that the provider is asked for
    answer_tokens: int | None = None  # the most of one answer, where a request sets no limit and the API needs one
    connect_seconds: float = 3.0
    proxy: str | None = None  # the environment's proxy variables are never used
    ca_file: str | None = None  # further certificate authorities (PEM), for a provider behind a private one


def unencrypted(target: str, base_url: str) -> str:
    """Say that a target would be asked over the internet without encryption. Empty: it would not."""
    if _is_encrypted(base_url):
        return ""
    return (
        f"targets.{target}.base_url: it begins with 'http://', so the key and every request would cross the internet "
        "readable for all. Use 'https://'."
    )


def _is_encrypted(base_url: str) -> bool:
    """Say whether the address has HTTPS, or is the user's own relay on this machine or network, off the internet."""
    url = urlsplit(base_url)
    if url.scheme == "https" or url.hostname == "localhost":
        return True
    try:
        address = ipaddress.ip_address(url.hostname or "")
    except ValueError:
        return False
    return address.is_loopback or address.is_private
