"""Certificates made for a test: an authority, and what it signs."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Authority:
    """An authority of its own; `file` is what clients trust."""

    def __init__(self, folder: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
        self.file = folder / "authority.pem"
        signed = self._signed(self._name, self._key.public_key(), timedelta(days=90), is_authority=True)
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def write(
        self,
        certificate: Path,
        key: Path,
        *,
        days: float = 60,
        passphrase: bytes | None = None,
        mode: int = 0o600,
    ) -> int:
        """Write a certificate for 127.0.0.1 and localhost with its key, and return its number."""
        own = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway of a test")])
        signed = self._signed(name, own.public_key(), timedelta(days=days), is_authority=False)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        fresh = key.with_name(key.name + ".new")
        fresh.write_bytes(own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        os.chmod(fresh, mode)
        fresh.rename(key)
        return signed.serial_number

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, length: timedelta, *, is_authority: bool
    ) -> x509.Certificate:
        until = datetime.now(UTC) + length
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        issuer = self._key.public_key()
        usage = dict.fromkeys(_USES, False) | {"digital_signature": True}
        usage |= {"key_cert_sign": is_authority, "crl_sign": is_authority}
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(datetime.now(UTC), until) - timedelta(days=1))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            # Strict verification, Python's own from 3.13 on, wants these.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )
