"""What programs call things, and whom they name as their authors, is nobody's secret."""

import pytest

from gateway.privacy import Inspector

CODE = [
    "class IsNotNestedError(RuntimeError):",
    "class Ed25519PublicKey(metaclass=abc.ABCMeta): ...",
    "types = [\n    x25519.X25519PrivateKey,\n    mldsa.MLDSA44PrivateKey,\n]\n# This mirrors the public ones",
    "    # PyWideStringList\n    'PySys_AddWarnOption1',",
    "def sign(cert: x509.Certificate, private_key: PKCS7PrivateKeyTypes, hash_algorithm: Hash) -> bytes:",
    "open(username=auth_info[0], password=auth_info[2])",
    "#     token = 1*tchar\n_TCHAR_SPECIALS = re.compile(r'[!#]')",
    "'price_key': 'cache_write_5m_mtok', 'cache_key': 'cache_audio_write_1h_mtok',",
    "# to preserve casing over-the-wire, and the lowercased one",
]
CREDITS = [
    "# Author: Peter Odling <peter@odling.org>\n# Last Change: March\nimport os",
    "# Authors: Leonardo V.\n#          Thanh Nguyen <tnguyen@cs.unm.edu>\n",
    '__author_email__ = "me@kennethr.org"\n__license__ = "Apache 2.0"',
    '"author": "Jo March <jo@march.dev>",',
    "setup(\n    author_email='jo@march.dev',\n",
    " * Copyright (c) 2019 Jo March <jo@march.dev>\n",
    "fix: close the pool\n\nSigned-off-by: Jo March <jo@march.dev>",
    '"""Codecs.\n\nWritten by Marc Lemberg (mal@lemberg.com).\n\n(c) Copyright 2000\n"""',
]
PEOPLE = [
    "Author: ana@clinica.es",
    "# write to ana.lopez@clinica.es when the pool is closed",
    "# Author: Peter\n\nrecipients = ['ana.lopez@clinica.es']",
    "Written by Ana (ana.lopez@clinica.es) after the visit",
    "From: ana.lopez@clinica.es\nSubject: copyright",
]
TYPED = ["password: MiPerroBobby7", "password: Sommer2024Garten\n", "api_key: tR7mPq2LxVd93KcWz", "token=auth9x!Kd03mZ"]


@pytest.mark.parametrize("text", CODE)
def test_names_in_code_are_no_secrets(inspector: Inspector, text: str) -> None:
    """Classes, annotations, parts of variables and rules of grammars are what programs are made of."""
    assert inspector.inspect({"p": text}).findings == ()


@pytest.mark.parametrize("text", CREDITS)
def test_authors_of_programs_are_public(inspector: Inspector, text: str) -> None:
    """Whoever publishes a program under their address has told everybody."""
    assert inspector.inspect({"p": text}).findings == ()


@pytest.mark.parametrize("text", PEOPLE)
def test_other_addresses_are_found(inspector: Inspector, text: str) -> None:
    """A word like these near an address frees it only where programs credit somebody."""
    assert "contact.email" in {finding.category for finding in inspector.inspect({"p": text}).findings}


@pytest.mark.parametrize("text", TYPED)
def test_what_somebody_typed_is_found(inspector: Inspector, text: str) -> None:
    """A password may look like a name in code."""
    assert [one for one in inspector.inspect({"p": text}).findings if one.category.startswith("secret")]
