"""Where a provider's keys are read: a file, or an address that the owner has named.

INVARIANT: an address is asked by HTTPS, or without it where the very address that is dialled is this machine's or in a
private network; no redirect is followed; no cookie, proxy, credential or setting of the environment; nothing is told.
"""

import asyncio
import ipaddress
import ssl
from pathlib import Path
from socket import socket

import aiohttp

from gateway.accounts.published_keys import KeysUnavailable

_MOST_BYTES = 256 * 1024
_SECONDS = 5.0
_AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


def is_near(text: str) -> bool:
    """Return whether an address is this machine's own or in a private network."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return not (address.is_global or address.is_multicast or address.is_unspecified)


class KeyFile:
    """Reader of a file with keys; a file that is written anew is taken over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    async def read(self) -> bytes | None:
        """Return the file's content; None: it is the same as before.

        Raises:
            KeysUnavailable: It can't be read.
        """
        return await asyncio.to_thread(self.read_now)

    def read_now(self) -> bytes | None:
        """Return the same, at once. Blocks.

        Raises:
            KeysUnavailable: It can't be read.
        """
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen == self._seen:
                return None
            with self._path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except OSError as error:
            self._seen = None
            raise KeysUnavailable(f"the file can't be read: {error.strerror}") from error
        if len(data) > _MOST_BYTES:
            raise KeysUnavailable(f"the file is larger than {_MOST_BYTES} bytes")
        self._seen = seen
        return data


class KeyAddress:
    """Reader of an address with keys. Each reading is a connection of its own: there are few."""

    def __init__(self, url: str, *, authorities: Path | None = None, seconds: float = _SECONDS) -> None:
        """Keep what is asked.

        Args:
            url: The address.
            authorities: Certificates to trust beside those of the system (PEM).
            seconds: The longest that it may take.

        Raises:
            KeysUnavailable: The file with certificates can't be used.
        """
        self._url = url
        self._seconds = seconds
        self._any_address = url.lower().startswith("https://")
        # From Python 3.13 on, `create_default_context` refuses private authorities that targets may have.
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._tls.load_default_certs()
        if authorities is not None:
            try:
                self._tls.load_verify_locations(cafile=authorities)
            except (OSError, ssl.SSLError) as error:
                raise KeysUnavailable(f"{authorities} can't be read, or has no certificate in it (PEM)") from error

    async def read(self) -> bytes:
        """Return what stands at the address.

        Raises:
            KeysUnavailable: It can't be had.
        """
        connector = aiohttp.TCPConnector(
            force_close=True,
            use_dns_cache=False,
            happy_eyeballs_delay=None,  # one address after the other, so that a refused one stops everything
            socket_factory=self._socket,
            ssl=self._tls,
        )
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    trust_env=False,
                    auto_decompress=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=self._seconds),
                    headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "aduana"},
                ) as session,
                session.get(self._url, allow_redirects=False) as answer,
            ):
                return await _content(answer)
        except _TooFar as error:
            raise KeysUnavailable(
                "its host is not in a private network, so the address must begin with https"
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise KeysUnavailable("this machine does not trust its certificate (ca_file names authorities)") from error
        except TimeoutError as error:
            raise KeysUnavailable(f"its host did not answer within {self._seconds:g} seconds") from error
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            raise KeysUnavailable(f"its host can't be reached ({type(error).__name__})") from error

    def _socket(self, info: _AddressInfo) -> socket:
        # INVARIANT: called for each connection with the very address that is dialled, whatever a name resolved to.
        family, kind, protocol, _, address = info
        if not self._any_address and not is_near(str(address[0])):
            raise _TooFar
        return socket(family, kind, protocol)


class _TooFar(Exception):
    """Error of an address that must not be asked without TLS."""


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    if answer.status != 200:
        raise KeysUnavailable(f"its host answered with {answer.status}, not with keys")
    data = await answer.content.read(_MOST_BYTES + 1)
    while len(data) <= _MOST_BYTES and (piece := await answer.content.read(_MOST_BYTES + 1 - len(data))):
        data += piece
    if len(data) > _MOST_BYTES:
        raise KeysUnavailable(f"what stands there is larger than {_MOST_BYTES} bytes")
    return data
