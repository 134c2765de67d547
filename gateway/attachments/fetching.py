"""Client that fetches files from hosts which the owner has named, and from nowhere else.

INVARIANT: every address that is connected is a public one, checked as it is dialled; nothing of the request but the
address itself is told; no redirect leads to another host; no cookie, proxy, credential or setting of the environment.
"""

import ipaddress
import re
import ssl
from collections.abc import Callable
from socket import socket
from urllib.parse import urljoin, urlsplit

import aiohttp
import msgspec

from gateway.core.attachment import FileContent
from gateway.core.errors import BadRequest

_MOST_REDIRECTS = 3
_PIECE = 64 * 1024
_LONGEST_ADDRESS = 8192
_CONNECTIONS = 16
_TYPE = re.compile(r"[A-Za-z0-9][\w.+-]{0,60}/[A-Za-z0-9][\w.+-]{0,60}\Z")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
# Addresses in which an IPv4 address of somebody's own network may hide.
_TRANSLATED = tuple(
    ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
_AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


class FetchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Hosts as the owner writes them (`files.example.org`, `*.example.org`, with a port where it is unusual)."""

    hosts: tuple[str, ...] = ()
    max_bytes: int = 20 * 2**20  # of one address
    seconds: float = 15.0


def is_public(text: str) -> bool:
    """Return whether an address is one of the public Internet's, in which no other can hide."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class NotFetched(BadRequest):
    """Error of an address in a request from which nothing could be had."""

    code = "address_not_fetched"

    def __init__(self, why: str) -> None:
        super().__init__(f"An address in the request can't be fetched: {why}.", param="messages")


class _Forbidden(Exception):
    """Error of an address that must not be connected."""


class FileFetcher:
    """Owner of the connections to named hosts. `permitted`: whether an address may be connected."""

    def __init__(self, settings: FetchSettings, *, permitted: Callable[[str], bool] = is_public) -> None:
        self._settings = settings
        self._permitted = permitted
        self._exact = frozenset(host.lower() for host in settings.hosts if not host.startswith("*."))
        self._below = tuple(host[1:].lower() for host in settings.hosts if host.startswith("*."))
        self._session: aiohttp.ClientSession | None = None

    def covers(self, url: str) -> bool:
        """Return whether the owner lets this address be fetched."""
        return self._host_of(url) is not None

    async def fetch(self, url: str, most: int) -> FileContent:
        """Return what stands at an address, at most `most` bytes of it.

        Raises:
            NotFetched: It can't be had: not there, too large, too late, or leading to somewhere else.
        """
        host = self._host_of(url)
        if host is None:
            raise NotFetched("it is none that this gateway fetches")
        most = min(most, self._settings.max_bytes)
        session = self._session or self._opened()
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                async with session.get(url, allow_redirects=False) as answer:
                    if answer.status not in _REDIRECTS:
                        return await _content(answer, most)
                    url = urljoin(url, answer.headers.get("Location", ""))
            except _Forbidden:
                raise NotFetched("its host has an address in a private network") from None
            except TimeoutError:
                raise NotFetched("it did not answer in time") from None
            except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
                raise NotFetched("its host can't be reached") from error
            if self._host_of(url) != host:
                raise NotFetched("it leads to another host")
        raise NotFetched("it leads from one address to the next")

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _host_of(self, url: str) -> tuple[str, str, int] | None:
        """Return scheme, host and port of an address that may be fetched; None: it may not."""
        if len(url) > _LONGEST_ADDRESS or not url.lower().startswith(("http://", "https://")):
            return None
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme.lower()]
        except ValueError:
            return None
        if parts.username is not None or parts.password is not None or not parts.hostname:
            return None
        host = parts.hostname.lower().rstrip(".")
        usual = port == _PORTS[parts.scheme.lower()]
        named = f"{host}:{port}" in self._exact or (usual and (host in self._exact or host.endswith(self._below)))
        return (parts.scheme.lower(), host, port) if named else None

    def _opened(self) -> aiohttp.ClientSession:
        seconds = self._settings.seconds
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_CONNECTIONS,
                force_close=True,
                use_dns_cache=False,
                happy_eyeballs_delay=None,  # one address after the other, so that a refused one stops everything
                socket_factory=self._socket,
            ),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=_PIECE,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=seconds, connect=seconds),
            headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "aduana"},
        )
        return self._session

    def _socket(self, info: _AddressInfo) -> socket:
        # INVARIANT: called for each connection with the very address that is dialled, whatever a name resolved to.
        family, kind, protocol, _, address = info
        if not self._permitted(str(address[0])):
            raise _Forbidden
        return socket(family, kind, protocol)


async def _content(answer: aiohttp.ClientResponse, most: int) -> FileContent:
    if answer.status != 200:
        raise NotFetched(f"its host answered with {answer.status}")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotFetched("its host packs what it sends, which nobody asked it to")
    if (answer.content_length or 0) > most:
        raise NotFetched(f"what stands there is larger than {most} bytes")
    data = bytearray()
    async for piece in answer.content.iter_chunked(_PIECE):
        data += piece
        if len(data) > most:
            raise NotFetched(f"what stands there is larger than {most} bytes")
    if not data:
        raise NotFetched("nothing stands there")
    given = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    return FileContent(media_type=given.lower() if _TYPE.match(given) else "application/octet-stream", data=bytes(data))
