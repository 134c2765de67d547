"""Versions of packages and digests in lock files are no secrets, whatever the package is called."""

import base64
import json
import random
from pathlib import Path

import pytest

from gateway.core.document import freeze_object
from gateway.privacy.inspection.inspector import Inspector

_NUMBERS = random.Random(4)
_NAMES = ("tokenizers", "secretstorage", "google-api-core", "password-strength", "pyjwt", "keyring", "api-key-lib")


def _hex() -> str:
    return _NUMBERS.randbytes(32).hex()


def _sri() -> str:
    return "sha512-" + base64.b64encode(_NUMBERS.randbytes(64)).decode()


PINNED = "\n".join(f"{name}=={number}.2{number}.1" for number, name in enumerate(_NAMES))
HASHED = "\n".join(f"{name}==1.{number}.0 \\\n    --hash=sha256:{_hex()} \\\n    --hash=sha256:{_hex()}"
                   for number, name in enumerate(_NAMES))  # fmt: skip
PIPFILE = json.dumps(
    {"default": {name: {"hashes": [f"sha256:{_hex()}", f"sha256:{_hex()}"], "version": "==1.2.3"} for name in _NAMES}},
    indent=4,
)
NPM = json.dumps({name: {"version": "9.0.2", "integrity": _sri()} for name in ("jsonwebtoken", "csrf-token")}, indent=2)
POETRY = "\n".join(
    f'name = "{name}"\nversion = "1.0.0rc1"\nfiles = [\n    {{file = "{name}.whl", hash = "sha256:{_hex()}"}},\n]'
    for name in _NAMES
)
LOCK = (Path(__file__).parents[3] / "requirements.lock").read_text("utf-8")[:30_000]  # the rest is alike


def found(inspector: Inspector, text: str) -> list[str]:
    seen = inspector.inspect(freeze_object({"m": text}))
    return [finding.detector for finding in seen.findings] + [doubt.reason for doubt in seen.doubts]


@pytest.mark.parametrize("text", [LOCK, PINNED, HASHED, PIPFILE, NPM, POETRY, '"csrf-token": "2.0.1-beta.20251105"'])
def test_a_lock_file_holds_no_secret(inspector: Inspector, text: str) -> None:
    """Pins and digests are public, also where a line runs on into the next one."""
    assert found(inspector, text) == []


@pytest.mark.parametrize(
    "text", ["password==Verano2291", "password=1.2.3.4abcX", "token=0.23.3-a9bX7c", "clave: 4.5Gatos!"]
)
def test_a_password_that_looks_like_a_version_is_one(inspector: Inspector, text: str) -> None:
    """What goes on as no version does is a secret still."""
    assert found(inspector, text)
