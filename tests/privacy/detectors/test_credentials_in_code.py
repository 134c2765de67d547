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
    "def __init__(self, username: bytes, password: bytes) -> None: ...",
    "identifier = '\\\\U000103d6-\\\\U000103ff\\\\U0001049e-\\\\U0001049f'",
    "# This mirrors the certificate types\nUnion[x25519.X25519PrivateKey, ed448.Ed448PrivateKey]",
    "#     token = 1*tchar\n_TCHAR_SPECIALS = re.compile(r'[!#]')",
    "'price_key': 'cache_write_5m_mtok', 'cache_key': 'cache_audio_write_1h_mtok',",
    "# to preserve casing over-the-wire, and the lowercased one",
]
CREDITS = [
    "# Author: Peter Odling <peter@odling.org>\n# Last Change: March\nimport os",
    "# Authors: Leonardo V.\n#          Thanh Nguyen <tnguyen@cs.unm.edu>\n\nimport os\n",
    "# Author: Barry Odling\n# Contact: email-sig@python.org\n\ndef parse(text): ...",
    "#  Original Author:      Fred L. Drank, Jr.\n#                        fdrank@acm.org\nclass Parser: pass",
    "# Copyright (c) 1999-2004 by Secret Labs AB\n#\n# fredrik@pythonware.com\n\nimport re",
    "/*\n * Author: Jo March <jo@march.dev>\n */\nint main(void) {\n",
    "-- created by Jo March <jo@march.dev>\nCREATE TABLE books (id int);",
    "Co-authored-by: Jo March <jo@march.dev>\nReviewed-by: Amy March <amy@march.dev>",
    "author = Jo March\nauthor_email = jo@march.dev\nversion = 1.2",
    '__author_email__ = "me@kennethr.org"\n__license__ = "Apache 2.0"',
    '{\n  "name": "pool",\n  "version": "1.0.0",\n  "author": "Jo March <jo@march.dev>",\n  "main": "index.js"\n}',
    "setup(\n    author_email='jo@march.dev',\n",
    " * Copyright (c) 2019 Jo March <jo@march.dev>\n",
    "fix: close the pool\n\nSigned-off-by: Jo March <jo@march.dev>",
    '"""Codecs.\n\nWritten by Marc Lemberg (mal@lemberg.com).\n\n(c) Copyright 2000\n"""',
]
PEOPLE = [
    "copyright ana.lopez@clinica.es",
    "# Author: ana.lopez@clinica.es has HIV, call her",
    "# Author: see her file, ana.lopez@clinica.es, room 4",
    "Author: ana@clinica.es",
    "# write to ana.lopez@clinica.es when the pool is closed",
    "# Author: Peter\n\nrecipients = ['ana.lopez@clinica.es']",
    "Written by Ana (ana.lopez@clinica.es) after the visit",
    "From: ana.lopez@clinica.es\nSubject: copyright",
    '{\n  "author": "ana.lopez@clinica.es",\n  "comment": "I was fired"\n}',
    '"author": "ana.lopez@clinica.es",',
    "(a) the form\n(b) the bill\n(c) 2024 Ana Lopez <ana.lopez@clinica.es>",
    "(c) Ana Lopez <ana.lopez@clinica.es>, patient since 2019",
    "Copyright dispute of 2024: ana.lopez@clinica.es",
    "author=ana.lopez@clinica.es&message=hello",
    "author=ana.lopez@clinica.es",
    "authors = ana.lopez@clinica.es",
    "Referred-by: Ana Lopez <ana.lopez@clinica.es>",
    "Prepared-by: Dr. Lopez (ana.lopez@clinica.es)",
    "Signed-off-by: the patient, ana.lopez@clinica.es",
    "# Contributors to the complaint\n* Ana: ana.lopez@clinica.es",
    "# Contributors\n* Ana Lopez <ana.lopez@clinica.es>\n",
    "# Authors\n# Ana Lopez <ana.lopez@clinica.es>\n\nThey sued us.",
    "# Written by the patient\n# reach her at ana.lopez@clinica.es",
    "# Created by: the lawyer\n# client: ana.lopez@clinica.es\nimport os",
    "   * Author: x\n   * one\n   * Patient mail ana.lopez@clinica.es",
    "# authors\n# user,mail\n# ana.lopez@clinica.es\nimport os",
    "-- created by\n-- ana.lopez@clinica.es",
    "; author of the threats\n; ana.lopez@clinica.es",
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


LOOK_ALIKES = [
    "STRIPE_SECRET_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
    "[default]\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    '"valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf:password::"',
    "Digest: sha256:e46c6c2850d4443fadf60f43154e6253c76ab0e84673aa7be2d64cc89d2ffa7b\nStatus: Downloaded newer image",
    "traceparent: 00-c71c7bba18fb35e642245b109ae82d59-f9d5a8142696b8a7-01\nx-request-id: 17",
    "RFC 7636: code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/"
    "KBHBeksoGMGw==",
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_everybody_has_is_no_secret(inspector: Inspector, text: str) -> None:
    """Placeholders, samples, the place of a secret, digests and ids of traces leave."""
    seen = inspector.inspect({"p": text})
    assert (seen.findings, seen.doubts) == ((), ())


def test_a_key_behind_a_sample_is_found(inspector: Inspector) -> None:
    """What stands beside a sample, or in its form, is looked at all the same."""
    for text in (
        "aws_access_key_id=AKIAIOSFODNN7EXAMPLE\naws_secret_access_key=q9ZtV3xKp7Lm2RsW8YbN4cDfG6hJ1kQeT5uXoPaB",
        "STRIPE_SECRET_KEY=sk_live_51HqXbR2eZvKYlo2C",
        "password=kX93mQ\nbL72zT1",
    ):
        assert [one for one in inspector.inspect({"p": text}).findings if one.category.startswith("secret")]
