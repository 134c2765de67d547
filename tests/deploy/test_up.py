"""deploy/up.sh: one command starts everything, makes keys once, and says where things are. `docker` is a stand-in."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

STANDIN = """#!/bin/sh
echo "$@" >> "{log}"
echo "RENDER_GROUP=$RENDER_GROUP" >> "{log}"
exit {status}
"""


@pytest.fixture
def up(deploy: Path, tmp_path: Path):
    """Return a function that runs a copy of the script, and the lines that `docker` got."""
    folder, programs, log = tmp_path / "deploy", tmp_path / "bin", tmp_path / "log"
    folder.mkdir()
    programs.mkdir()
    shutil.copy(deploy / "up.sh", folder)

    def run(*words: str, status: int = 0, **environment: str) -> tuple[subprocess.CompletedProcess[str], str]:
        (programs / "docker").write_text(STANDIN.format(log=log, status=status))
        (programs / "docker").chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [folder / "up.sh", *words],
            env={"PATH": path} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return done, log.read_text() if log.exists() else ""

    return run


def test_keys_are_made_once(up, tmp_path: Path) -> None:
    """The first start makes three keys, which nobody else can read where only one service needs them; none is shown."""
    folder = tmp_path / "deploy"
    done, asked = up()
    assert done.returncode == 0, done.stderr
    assert asked.startswith("compose -f compose.yaml up --build --detach\n")
    keys = {name: (folder / name).read_text() for name in ("aduana.env", "grafana.env", "metrics-key")}
    assert re.fullmatch(r"APPS_API_KEY=[0-9a-f]{64}\n", keys["aduana.env"])
    assert re.fullmatch(r"GF_SECURITY_ADMIN_PASSWORD=[0-9a-f]{32}\n", keys["grafana.env"])
    assert re.fullmatch(r"[0-9a-f]{64}\n", keys["metrics-key"])
    modes = {name: (folder / name).stat().st_mode & 0o777 for name in keys}
    assert modes == {"aduana.env": 0o600, "grafana.env": 0o600, "metrics-key": 0o644}
    for text in keys.values():
        assert text.strip().rpartition("=")[2] not in done.stdout + done.stderr
    assert up()[0].returncode == 0
    assert keys == {name: (folder / name).read_text() for name in keys}


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["cuda"], "-f compose.yaml -f compose.gpu.yaml"),
        (["seal"], "-f compose.yaml -f compose.seal.yaml"),
        (["vulkan", "cloud"], "-f compose.yaml -f compose.vulkan.yaml -f compose.cloud.yaml"),
    ],
)
def test_cards_and_clouds_are_words(words: list[str], files: str, up, deploy: Path) -> None:
    """Each word adds its file, which is there; Vulkan's group reaches Compose."""
    done, asked = up(*words, RENDER_GROUP="992")
    assert done.returncode == 0, done.stderr
    assert asked == f"compose {files} up --build --detach\nRENDER_GROUP=992\n"
    for name in files.replace("-f", "").split():
        assert (deploy / name).is_file()


def test_an_unknown_word_starts_nothing(up) -> None:
    """A typing error is named, and nothing is started."""
    done, asked = up("cuda12")
    assert (done.returncode, asked) == (2, "")
    assert "cuda12" in done.stderr


def test_a_failure_of_docker_is_not_hidden(up) -> None:
    """Where Docker fails, the script fails, and promises no addresses."""
    done, _ = up(status=17)
    assert done.returncode == 17
    assert "http" not in done.stdout
