"""Keys: those behind references, `env:NAME` or `file:PATH`, read where they are used, and that of the signatures."""

import contextlib
import ctypes
import hashlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path

from gateway.core.errors import ConfigurationError

SEAL_BYTES = 32
_HANDED = "ADUANA_KEYS_DESCRIPTOR"


def new_seal() -> bytes:
    """Return a new key for signatures."""
    return secrets.token_bytes(SEAL_BYTES)


def seal_from(text: str) -> bytes:
    """Return the key for signatures that a secret of letters stands for.

    Raises:
        ConfigurationError: It is too short to be one.
    """
    if len(text) < SEAL_BYTES:
        raise ConfigurationError((f"egress.key: it has {len(text)} characters; make one: openssl rand -hex 32.",))
    return hashlib.sha256(b"aduana egress 1\0" + text.encode()).digest()


def read_secret(reference: str) -> str:
    """Return the secret behind `env:NAME` or `file:PATH`.

    Raises:
        ConfigurationError: It can't be had. The message names the reference, never the secret.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env":
        value = os.environ.get(rest, "")
        if not value:
            raise ConfigurationError((f"the environment variable {rest} (for {reference!r}) is not set.",))
    else:
        try:
            value = Path(rest).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError((f"the file of {reference!r} can't be read: {type(error).__name__}.",)) from error
    if not value or any(ord(character) < 33 or ord(character) > 126 for character in value):
        raise ConfigurationError((f"the secret behind {reference!r} is empty or has blanks or control characters.",))
    return value


def variable_of(reference: str | None) -> str | None:
    """Return the name of the variable that a reference reads; None: it reads none."""
    kind, _, rest = (reference or "").partition(":")
    return rest if kind == "env" else None


def scrub(names: Iterable[str]) -> None:
    """Take variables out of this process's environment, and out of what `/proc/PID/environ` shows of it."""
    for name in names:
        if name not in os.environ:
            continue
        with contextlib.suppress(OSError, TypeError, AttributeError):  # where the system has no such function
            libc = ctypes.CDLL(None)
            libc.getenv.restype = ctypes.c_void_p
            place = libc.getenv(os.fsencode(name))
            if place:  # INVARIANT: the value's own bytes and no others are written over
                ctypes.memset(place, 0, len(os.fsencode(os.environ[name])))
        os.environ.pop(name, None)


def begin_without(names: Iterable[str], environ: MutableMapping[str, str] = os.environ) -> None:
    """Begin this program anew without these variables, if it has any of them; their values wait in a descriptor.

    INVARIANT: what a process once had in its environment stays somewhere in its memory. The one that goes on never had
    it; whoever takes the descriptor (`handed_keys`) gives it to the egress process, unread.
    """
    keys = {name: environ[name] for name in names if environ.get(name)}
    if not keys or os.name != "posix":
        return
    descriptor = _anonymous_file(json.dumps(keys).encode())
    os.set_inheritable(descriptor, True)
    clean = {name: value for name, value in environ.items() if name not in keys}
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], clean | {_HANDED: str(descriptor)})  # noqa: S606


def handed_keys(environ: MutableMapping[str, str] = os.environ) -> int | None:
    """Return the descriptor that `begin_without` left, and take its variable away; None: it left none."""
    number = environ.pop(_HANDED, "")
    if not number.isdigit():
        return None
    os.set_inheritable(int(number), False)
    return int(number)


def with_handed_keys(environ: Mapping[str, str], descriptor: int | None) -> tuple[dict[str, str], int | None]:
    """Return the environment of a process that is to hand keys on as this one would, and a descriptor for it.

    The system copies from file to file: the keys never come into this process's memory (on Linux).
    """
    if descriptor is None:
        return dict(environ), None
    copy = _anonymous_file(b"")
    size = os.fstat(descriptor).st_size
    try:
        os.sendfile(copy, descriptor, 0, size)
    except OSError:  # where it only sends to sockets, as on macOS
        os.write(copy, os.pread(descriptor, size, 0))
    return {**environ, _HANDED: str(copy)}, copy


def take_keys(descriptor: int, environ: MutableMapping[str, str] = os.environ) -> None:
    """Put the variables behind a descriptor back, in the process that they are for."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        environ.update(json.loads(file.read()))


def _anonymous_file(data: bytes) -> int:
    """Return a descriptor of a file without a name, in memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("keys")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.write(descriptor, data)
    return descriptor
