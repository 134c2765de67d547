"""TLS between a gateway and an egress process on another machine: each shows a certificate of one private authority.

INVARIANT: neither side speaks to anybody whose certificate that authority did not sign. The system's own authorities
are not asked, and no older protocol than TLS 1.3 is spoken.
"""

import ssl
from pathlib import Path

import msgspec
import structlog

from gateway.core.errors import ConfigurationError

LOG = structlog.get_logger("aduana.egress")


class TlsFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files in PEM: the authority's certificate, this side's own certificate, and its key."""

    authority: Path
    certificate: Path
    key: Path


class _Unusable(ConfigurationError):
    """Error of a file that can't be used, which names the setting."""

    def __init__(self, setting: str, what: str) -> None:
        super().__init__((f"egress.tls.{setting}: {what}.",))


class Secured:
    """One side of the way between two machines. Files that are replaced count from the next connection on."""

    def __init__(self, files: TlsFiles, host: str | None = None) -> None:
        """Read the files.

        Args:
            files: What this side shows, and whom it believes.
            host: Whom the other side's certificate has to name; None: this is the side that is called.

        Raises:
            ConfigurationError: They can't be used. The problem names the setting.
        """
        self.host = host
        self._files = files
        self._seen = self._stamp()
        self._context = _context(files, calls=host is not None)

    def context(self) -> ssl.SSLContext:
        """Return the context for one connection."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._context = _context(self._files, calls=self.host is not None)
            except ConfigurationError as error:  # the old ones stay; what they no longer open is refused
                LOG.error("egress.certificates", problem=error.problems[0])
        return self._context

    def _stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_stamp_of, (self._files.authority, self._files.certificate, self._files.key)))


def _stamp_of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _context(files: TlsFiles, *, calls: bool) -> ssl.SSLContext:
    """Return a context that shows our certificate, and wants one of the authority from the other side.

    Raises:
        _Unusable: A file can't be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if calls else ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    if not calls:
        context.num_tickets = 0  # each connection is made whole, so that a certificate that ran out ends the next one
    try:
        context.load_verify_locations(cafile=files.authority)
    except ssl.SSLError as error:
        raise _Unusable("authority", f"{files.authority} has no certificate in it (PEM)") from error
    except OSError as error:
        raise _Unusable("authority", f"{files.authority} can't be read: {error.strerror}") from error
    for name, file in (("certificate", files.certificate), ("key", files.key)):
        try:
            file.open("rb").close()
        except OSError as error:
            raise _Unusable(name, f"{file} can't be read: {error.strerror}") from error
    try:
        context.load_cert_chain(files.certificate, files.key, password="")
    except (ssl.SSLError, ValueError) as error:  # ValueError: the key has a passphrase
        what = getattr(error, "reason", None) or "it has a passphrase, or is no key"
        raise _Unusable("key", f"{files.key} does not open {files.certificate}: {what}") from error
    return context
