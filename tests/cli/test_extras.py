"""`aduana extras` adds packages to this installation, and never fetches Aduana by its name, which is a stranger's."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.cli.extras import EXTRAS

ROOT = Path(__file__).resolve().parents[2]
NEEDS = (
    'here-already>=1; extra == "ner"',
    'never-heard-of[fast]==1.4.0; extra == "ner"',
    "of-another-system; sys_platform == 'plan9' and extra == 'ner'",
    'Aduana[traces]; extra == "ner"',
    'aduana; extra == "ner"',
    'here-already>=1; extra == "traces"',
    'here-already>=9; extra == "tokenizer"',
    "needed-by-all>=2",
)


def record(folder: Path, name: str, version: str, *needs: str, script: str = "") -> None:
    """Write what an installer notes of a package."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [f"Requires-Dist: {need}" for need in needs]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]))
    if script:
        (info / "entry_points.txt").write_text(f"[console_scripts]\naduana = {script}\n")


@pytest.fixture
def installation(tmp_path: Path, monkeypatch) -> Path:
    """An environment with a stranger's `aduana`, ours, and one of the packages; its folder."""
    record(tmp_path / "first", "aduana", "7.0", "malware; extra == 'ner'", script="aduana:main")
    record(tmp_path / "ours", "aduana", "0.1.0", *NEEDS, script="gateway.cli:main")
    record(tmp_path / "ours", "here_already", "1.5")
    for folder in ("ours", "first"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    return tmp_path


@pytest.fixture
def asked(tmp_path: Path, monkeypatch) -> Path:
    """An installer that writes its arguments to this file, and fails where `fail` lies beside it."""
    program = tmp_path / "installer.py"
    program.write_text(
        "import json, sys\nfrom pathlib import Path\nhere = Path(__file__).parent\n"
        "(here / 'asked').write_text(json.dumps(sys.argv[1:]))\nsys.exit((here / 'fail').exists())\n"
    )
    command = [sys.executable, str(program)]
    monkeypatch.setattr("gateway.cli.engine.packages.installer", lambda **_: command)
    monkeypatch.setattr("gateway.cli.extras.installer", lambda **_: command)
    return tmp_path / "asked"


def test_the_list_says_what_is_there_and_what_it_is_for(installation, capsys) -> None:
    """Whole, in part, too old, and not known to this installation: each is said."""
    assert main(["extras"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"ner +missing in part \(never-heard-of\) +the search for people's names", shown)
    assert re.search(r"traces +installed ", shown)
    assert re.search(r"tokenizer +missing ", shown)
    assert re.search(r"speech +unknown ", shown)
    assert "Install Aduana again" in shown


def test_packages_are_installed_by_their_own_names(installation, asked, capsys) -> None:
    """What the extras name for this system, each once; never `aduana`, and nothing that a stranger's package names."""
    assert main(["extras", "install", "ner", "traces"]) == 0
    assert json.loads(asked.read_text()) == ["here-already>=1", "never-heard-of[fast]==1.4.0"]
    assert "next start" in capsys.readouterr().out


def test_a_dry_run_installs_nothing(installation, asked, capsys) -> None:
    """The command is shown as it could be typed."""
    assert main(["extras", "install", "ner", "--dry-run"]) == 0
    assert '"here-already>=1" "never-heard-of[fast]==1.4.0"' in capsys.readouterr().out
    assert not asked.exists()


def test_an_installer_that_fails_is_told(installation, asked, capsys) -> None:
    """Exit status 2, and who has to be able to write what."""
    (asked.parent / "fail").touch()
    assert main(["extras", "install", "ner"]) == 2
    assert f"{sys.prefix} has to be writable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [("local", "aduana engine install"), ("speech", "Install Aduana again")],
)
def test_what_cannot_be_added_so_is_told(name, told, installation, asked, capsys) -> None:
    """The engine has a command of its own; an extra that this installation does not know is not guessed at."""
    assert main(["extras", "install", name]) == 2
    assert told in capsys.readouterr().err
    assert not asked.exists()


@pytest.mark.parametrize("name", ["aduana", "dev", "nothing"])
def test_only_extras_for_users_are_taken(name, installation, asked, capsys) -> None:
    """Anything else is refused with the names that there are."""
    with pytest.raises(SystemExit) as ended:
        main(["extras", "install", name])
    assert ended.value.code == 2
    assert "documents" in capsys.readouterr().err
    assert not asked.exists()


def test_extras_are_those_of_the_project() -> None:
    """Each extra of the command is one of pyproject.toml; those left out are for developers."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    left = {name for name in stated if name not in EXTRAS}
    assert set(EXTRAS) <= set(stated)
    assert {name for name in left if not name.startswith("bench-")} == {"train", "test", "dev"}


def texts() -> list[Path]:
    """Return the files whose words people read and type: code, tests, documents, service files."""
    folders = ("gateway", "docs", "deploy", "policies", "tests")
    endings = {".py", ".md", ".yaml", ".yml", ".html", ".js", ".sh", ".service", ".toml"}
    found = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in endings]
    kept = [file for file in found if "data" not in file.relative_to(ROOT).parts and "node_modules" not in file.parts]
    return [*kept, *ROOT.glob("README*.md"), ROOT / "deploy" / "Containerfile", ROOT / "Makefile"]


def test_nobody_is_told_to_fetch_a_strangers_package() -> None:
    """No message, page or comment says to install `aduana` by its name, and each extra that one names is there."""
    by_name = re.compile(
        r"\baduana" + r"\[\w|(?:(?:pip|pipx|uv tool) (?:install|upgrade)|uv add)(?: -\S+)* ['\"]?aduana\b"
    )
    found = [(file.name, hit[0]) for file in texts() for hit in by_name.finditer(file.read_text("utf-8"))]
    assert not found
    named = {hit for file in texts() for hit in re.findall(r"aduana extras install ([a-z]+)", file.read_text("utf-8"))}
    assert named == set(EXTRAS) - {"local"}
