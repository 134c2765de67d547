"""The wheel is complete: what it is built from is in it, and the command works from it, far from the repository."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import aiohttp
import pytest

from gateway.shipped import FOLDERS, files_of
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

ROOT = Path(__file__).resolve().parents[1]
SECRETS = ("deploy/metrics-key", "deploy/aduana.env", "gateway/ledger.sqlite3")


def kept(*folders: str) -> list[str]:
    """Return the files that git keeps, or would keep, by their paths from the top."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name and os.path.lexists(ROOT / name)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The unpacked wheel, built from the files that git would keep, beside some that nobody may get."""
    folder = tmp_path_factory.mktemp("wheel")
    source, unpacked = folder / "source", folder / "unpacked"
    for name in kept():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name, follow_symlinks=False)
    for name in SECRETS:
        (source / name).write_text("a secret")
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as file:
        file.extractall(unpacked)
    return unpacked


def test_everything_in_the_gateways_folder_is_in_the_wheel(wheel: Path) -> None:
    """Code, weights, pages, tables and whatever else stands beside the code: nothing is forgotten."""
    wanted = [name for name in kept("gateway") if (ROOT / name).is_file()]
    assert len(wanted) > 500
    assert [name for name in wanted if not (wheel / name).is_file()] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_policies_dashboards_and_units_are_in_the_wheel(folder: str, wheel: Path) -> None:
    """Each file of these folders is in the wheel with its content, and none is a link to a repository."""
    names = kept(folder)
    shipped = [file for file in files_of(folder) if f"{folder}/{file}" in names]
    assert shipped
    for file in shipped:
        packed = wheel / "gateway" / "shipped" / folder / file
        assert packed.is_file(), f"{folder}/{file}: its ending is not in [tool.setuptools.package-data]"
        assert not packed.is_symlink()
        assert packed.read_bytes() == (ROOT / folder / file).read_bytes()


def test_no_secret_and_no_data_gets_into_a_wheel(wheel: Path) -> None:
    """Keys and ledgers that lie about where a wheel is built are not in it, nor is anything beside the gateway."""
    assert not [path for path in wheel.rglob("*") if path.is_file() and path.read_bytes() == b"a secret"]
    assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} == {"gateway"}


REQUEST = {"model": "auto", "messages": [{"role": "user", "content": "My IBAN is ES91 2100 0418 4502 0005 1332."}]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check"], "built-in home policy"),
        (["explain", "request.json"], "financial.iban"),
        (["schema", "config"], '"targets"'),
        (["models", "list"], "No models in"),
        (["files"], "savings.json"),
        (["prices"], "gpt"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_command_works_from_a_wheel(words: list[str], said: str, wheel: Path, tmp_path: Path) -> None:
    """Commands that read what comes along find it, in a folder that has nothing."""
    (tmp_path / "request.json").write_text(json.dumps(REQUEST))
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(wheel), "ADUANA_STATE_DIR": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


async def test_the_gateway_serves_from_a_wheel(wheel: Path, tmp_path: Path) -> None:
    """A server at home answers through a gateway that runs from the wheel, and the console is there with its guide."""
    async with StandInCloud(answer="From the wheel.") as server:
        target = f"{{kind: openai, zone: local, base_url: '{server.base_url}', model: m, context: 4096}}"
        away = ("env", f"--chdir={tmp_path}", f"PYTHONPATH={wheel}")
        async with (
            RunningGateway(tmp_path, f"targets: {{home: {target}}}\n", launcher=away) as gateway,
            aiohttp.ClientSession() as session,
        ):
            async with session.post(f"{gateway.url}/v1/chat/completions", json=REQUEST) as answer:
                assert (await answer.json())["choices"][0]["message"]["content"].strip() == "From the wheel."
            for address in ("/", "/console/guide", "/console/static/htmx.js"):
                async with session.get(gateway.url + address) as page:
                    assert page.status == 200, address
