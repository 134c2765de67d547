"""Numbers with a check letter stand in names of files and references too, behind a word with a dot or a hyphen."""

import pytest

from gateway.core.document import freeze_object
from gateway.privacy import Inspector


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ref paciente-12345678Z llega tarde", True),
        ("adjunto: informe.12345678Z.pdf", True),
        ("ref paciente-12345678A llega tarde", False),  # its letter is wrong
        ("build 1.12345678Z of the tool", False),  # a version, not a word
    ],
)
def test_a_dni_behind_a_word_is_found(text: str, found: bool) -> None:
    """People name files after their patients; a version number is nobody."""
    inspection = Inspector().inspect(freeze_object({"messages": [{"role": "user", "content": text}]}))
    assert ("id.national" in {finding.category for finding in inspection.findings}) is found
