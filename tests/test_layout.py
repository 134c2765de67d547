"""Tests stand where their source stands, and no folder grows until nobody finds anything in it."""

import statistics
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = sorted(path.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py"))
FOLDERS = Counter(path.parent for path in (ROOT / "gateway").rglob("*.py") if path.name != "__init__.py")

# Folders whose tests look at something other than one module of gateway/.
ELSEWHERE = {
    "bench": "what benchmarks judge by",
    "campaign": "thousands of random requests with planted values at the whole gateway, while everything fails",
    "clients": "other people's programs and libraries, which `make clients` installs",
    "deploy": "the files in deploy/: container, service, packet filter",
    "docs": "the documents that people read: README.md, docs/",
    "e2e": "the whole gateway as a process, with real clients",
    "engine/architectures": "tiny models of each kind of memory, through the whole engine",
    "faults": "upstreams, clients and hosts that break, each row of the table of faults",
    "grafana": "the package grafana/: dashboards and rules, against a real Prometheus",
    "policies": "the ready policies in policies/ and their handbook",
}


def mirrors(test: Path) -> bool:
    """Whether `test_<name>.py` or `test_<name>_<aspect>.py` has a module or package <name> at its place in gateway/."""
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    folder = ROOT / "gateway" / test.parent
    return any((folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file() for name in names)


def folders(test: Path) -> set[str]:
    """Return the folders that a test stands in."""
    return {parent.as_posix() for parent in test.parents}


@pytest.mark.parametrize("test", TESTS, ids=str)
def test_a_test_stands_where_its_source_stands(test: Path) -> None:
    """Whoever changes `gateway/<room>/<module>.py` finds its tests at `tests/<room>/test_<module>.py`."""
    assert test == Path("test_layout.py") or ELSEWHERE.keys() & folders(test) or mirrors(test)


def test_folders_that_mirror_nothing_are_still_there() -> None:
    """The list of exceptions has no entry without tests, and none that hides a room."""
    assert {folder for test in TESTS for folder in folders(test)} >= set(ELSEWHERE)
    assert not [name for name in ELSEWHERE if (ROOT / "gateway" / name).exists()]


def test_folders_of_the_gateway_can_be_taken_in_at_a_glance() -> None:
    """At most 20 modules in a folder, and 7 in an ordinary one."""
    assert max(FOLDERS.values()) <= 20, FOLDERS.most_common(3)
    assert statistics.median(FOLDERS.values()) <= 7
