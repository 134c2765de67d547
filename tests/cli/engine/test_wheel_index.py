"""Of an index's files the newest is taken that this Python and system can use and that Aduana works with."""

import pytest
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag

from gateway.cli.engine.wheel_index import newest

WANTED = SpecifierSet(">=0.3.36,<0.4")
TAGS = [Tag("py3", "none", "manylinux_2_35_x86_64"), Tag("py3", "none", "manylinux_2_17_x86_64")]
RELEASE = "https://example.com/releases/download/v0.3.36-cu132/llama_cpp_python-{}.whl"


def links(*names: str) -> list[str]:
    """Addresses of wheels."""
    return [RELEASE.format(name) for name in names]


@pytest.mark.parametrize(
    ("names", "chosen", "problem"),
    [
        (["0.3.36-py3-none-manylinux_2_35_x86_64", "0.3.37-py3-none-manylinux_2_35_x86_64"], "0.3.37", ""),
        (["0.3.9-py3-none-manylinux_2_35_x86_64", "0.3.36-py3-none-manylinux_2_35_x86_64"], "0.3.36", ""),
        (["0.4.0-py3-none-manylinux_2_35_x86_64", "0.3.36-py3-none-manylinux_2_35_x86_64"], "0.3.36", ""),
        (["0.3.36-py3-none-win_amd64", "0.3.36-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64"], "0.3.36", ""),
        (["0.3.36%2Bcu132-py3-none-manylinux_2_35_x86_64"], "0.3.36+cu132", ""),
        (["0.3.30-py3-none-manylinux_2_17_x86_64"], None, "0.3.30"),
        (["0.3.36-py3-none-win_amd64", "0.3.36-py3-none-manylinux_2_39_x86_64"], None, "none for this system"),
        (["notes"], None, "no wheels"),
        ([], None, "no wheels"),
    ],
)
def test_the_choice(names: list[str], chosen: str | None, problem: str) -> None:
    """Versions by number and not by letter, other systems' files passed over; without one, the reason."""
    found = newest(links(*names), WANTED, TAGS)
    assert (found.wheel.version if found.wheel else None) == chosen
    assert problem in found.problem
