"""Owner of the certificate that the gateway shows: read anew when its files change, or the old one stays in force.

INVARIANT: a certificate and a key that do not fit each other are never shown; one context is replaced by another as a
whole, between two connections.
"""

import asyncio
import contextlib
import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from gateway.app.service.settling import settled
from gateway.core.errors import ConfigurationError

LOG = structlog.get_logger("aduana.certificate")
_LOOK_SECONDS = 5.0
_SETTLED_SECONDS = 0.5  # two files are replaced one after the other
_SOON = timedelta(days=14)
_OTHERS = stat.S_IRWXO
Content = tuple[bytes, bytes]


class UnusableCertificate(ConfigurationError):
    """Error of a certificate or key that can't be shown."""

    def __init__(self, setting: str, what: str) -> None:
        super().__init__((f"server.tls.{setting}: {what}.",))


class Certificate:
    """Certificate and key from two files. `context` is for the listener, `watch` renews what it shows."""

    def __init__(self, certificate: Path, key: Path, *, look_seconds: float = _LOOK_SECONDS) -> None:
        """Read them.

        Args:
            certificate: PEM, the gateway's own first, then those up to its authority.
            key: PEM, without a passphrase.
            look_seconds: Time between looks at the files.

        Raises:
            UnusableCertificate: They can't be used. The problem names the setting.
        """
        self._files = (certificate.expanduser(), key.expanduser())
        self._look_seconds = look_seconds
        self._asked = asyncio.Event()
        self._content = _read(*self._files)
        self._current = self._loaded(self._content)
        self._refused: str | None = None
        # Every connection gets the context of its moment: this one is only the first.
        self.context = self._loaded(self._content)
        self.context.sni_callback = self._show

    @property
    def problem(self) -> str | None:
        """Return what the owner should do about it, in a sentence; None: nothing."""
        if self._refused is not None:
            return f"The certificate can't be read again, the old one stays: {self._refused}"
        return _expiry(self._until, self._files[0], datetime.now(UTC))

    def ask_to_reload(self) -> None:
        """Read the files again soon (SIGHUP)."""
        self._asked.set()

    async def watch(self) -> None:
        """Show a new certificate when the files have changed. Runs until cancelled."""
        if (problem := self.problem) is not None:
            LOG.warning("certificate.expires", problem=problem)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._look_seconds)
            self._asked.clear()
            await self.reload()

    async def reload(self) -> bool:
        """Read the files, and return whether what they hold is in force; on any problem the old one stays."""
        try:
            content = await settled(partial(_read, *self._files), self._content, seconds=_SETTLED_SECONDS)
            if content != self._content:
                self._current = await asyncio.to_thread(self._loaded, content)
                self._content = content
                LOG.info("certificate.renewed", until=f"{self._until:%Y-%m-%d}")
        except ConfigurationError as error:
            if error.problems[0] != self._refused:
                LOG.error("certificate.reload_refused", problem=error.problems[0])
            self._refused = error.problems[0]
            return False
        self._refused = None
        return True

    def _show(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _loaded(self, content: Content) -> ssl.SSLContext:
        """Return a context for the files.

        Raises:
            UnusableCertificate: There is no certificate or no key in them, or they do not belong together.
        """
        from cryptography import x509  # where a certificate is shown: it takes 1 MB

        certificate, key = self._files
        try:
            first = x509.load_pem_x509_certificate(content[0])
        except ValueError as error:
            raise UnusableCertificate("certificate", f"{certificate} has no certificate in it (PEM)") from error
        if b"ENCRYPTED" in content[1]:
            raise UnusableCertificate(
                "key", f"{key} has a passphrase. Write it without one: openssl pkey -in {key} -out NEW"
            )
        if b"PRIVATE KEY-----" not in content[1]:
            raise UnusableCertificate("key", f"{key} has no private key in it (PEM)")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(certificate, key, password="")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise UnusableCertificate("key", f"{key} is not the key of {certificate}") from error
            raise UnusableCertificate("key", f"{key} and {certificate} can't be used ({error.reason})") from error
        except OSError as error:
            raise UnusableCertificate(
                "certificate", f"{error.filename or certificate} can't be read: {error.strerror}"
            ) from error
        self._until = first.not_valid_after_utc
        return context


def _read(certificate: Path, key: Path) -> Content:
    """Return what is in both files, as far as the key is nobody else's.

    Raises:
        UnusableCertificate: One can't be read, or other users of the machine can read the key.
    """
    found = []
    for setting, file in (("certificate", certificate), ("key", key)):
        try:
            with file.open("rb") as content:
                mode = os.fstat(content.fileno()).st_mode
                found.append(content.read())
        except OSError as error:
            raise UnusableCertificate(setting, f"{file} can't be read: {error.strerror}") from error
        if setting == "key" and mode & _OTHERS:
            raise UnusableCertificate(
                setting, f"every user of this machine can read or change {file}. Run: chmod o= '{file}'"
            )
    return found[0], found[1]


def _expiry(until: datetime, file: Path, now: datetime) -> str | None:
    if now >= until:
        return f"The certificate has expired on {until:%Y-%m-%d}, so apps refuse it: renew {file}."
    return f"The certificate expires on {until:%Y-%m-%d}: renew {file}." if until - now < _SOON else None
