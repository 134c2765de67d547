"""The lock files: each package with its digests, and nothing of the project's own needs missing in them."""

import re
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = {"everything": "requirements.lock", "server": "deploy/requirements.lock"}


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Each package of a lock file with its version and the number of its digests."""
    entries = re.split(r"\n(?=\S)", (REPOSITORY / name).read_text("utf-8").strip())
    found: dict[str, tuple[str, int]] = {}
    for entry in entries:
        given = re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)( ; [^\\]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", entry)
        assert given is not None, entry.splitlines()[0]
        found[canonicalize_name(given[1])] = (given[2], given[4].count("--hash="))
    return found


def needed(requirements: Iterable[str], extras: dict[str, list[str]]) -> set[str]:
    """The packages that requirements name here, through the project's own extras."""
    names: set[str] = set()
    for line in requirements:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            for extra in requirement.extras:
                names |= needed(extras[extra], extras)
        elif requirement.marker is None or requirement.marker.evaluate():
            names.add(canonicalize_name(requirement.name))
    return names


@pytest.mark.parametrize("name", LOCKS.values())
def test_each_package_has_a_version_and_digests(name: str) -> None:
    """`pip install --require-hashes` takes the file: no line of it is without a digest."""
    assert len(locked(name)) > 20


def test_nothing_that_the_project_needs_is_missing() -> None:
    """Whoever adds a dependency pins it: `make lock`, or its lines by hand."""
    extras = PROJECT["optional-dependencies"]
    base = needed(PROJECT["dependencies"], extras)
    assert base <= set(locked(LOCKS["server"]))
    assert base | needed(extras["dev"], extras) <= set(locked(LOCKS["everything"]))


def test_both_files_have_the_same_versions() -> None:
    """What runs on a server is what was tested, digest by digest."""
    tested = locked(LOCKS["everything"])
    assert {name: tested.get(name) for name in locked(LOCKS["server"])} == locked(LOCKS["server"])


def test_make_installs_the_locked_versions(tmp_path: Path) -> None:
    """The constraints that `make` hands to pip are the lock file without its digests."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    constraints = tmp_path / "constraints.txt"
    subprocess.run(["make", f"VENV={tmp_path}", constraints], cwd=REPOSITORY, check=True, capture_output=True)
    lines = [line.split(" ; ")[0].split("==") for line in constraints.read_text().splitlines()]
    assert {canonicalize_name(name): version for name, version in lines} == {
        name: version for name, (version, _) in locked(LOCKS["everything"]).items()
    }


def test_the_image_compiles_the_locked_engine(tmp_path: Path) -> None:
    """The line by which the image's build takes llama.cpp out of the lock file takes its digests along."""
    image = (REPOSITORY / "deploy" / "Containerfile").read_text("utf-8")
    (line,) = re.findall(r"^RUN (sed -n .*) /requirements\.lock > /llama\.txt$", image, re.MULTILINE)
    done = subprocess.run(
        f"{line} requirements.lock", shell=True, cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    assert re.fullmatch(r"llama-cpp-python==\S+( \\\n    --hash=sha256:[0-9a-f]{64})+\n", done.stdout)
