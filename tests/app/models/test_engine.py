"""Without the extra `local` the gateway serves all targets but its own engine's, and says what that takes."""

import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

pytestmark = pytest.mark.usefixtures("any_port")

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def without_engine(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that has no llama-cpp-python and no llguidance."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules.update(llama_cpp=None, llguidance=None)\n")
    return {"PYTHONPATH": f"{hidden}{os.pathsep}{ROOT}", "ADUANA_STATE_DIR": str(tmp_path / "state")}


def aduana(*words: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["serve", "check"])
def test_an_empty_directory_is_told_what_to_do(command: str, tmp_path: Path, without_engine) -> None:
    """Who starts without engine and configuration reads one sentence with the ways on, and no traceback."""
    done = aduana(command, folder=tmp_path, environment=without_engine)
    assert done.returncode == 2
    assert "'aduana engine install'" in done.stderr
    assert "aduana.yaml" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [("serve",), ("check",), ("models", "fit")])
def test_a_configured_model_is_named(words: tuple[str, ...], tmp_path: Path, without_engine) -> None:
    """Each target that needs the engine is named, with the command that installs it."""
    targets = "{mine: {kind: embedded, model: smollm2}, coder: {kind: embedded, model: other}}"
    (tmp_path / "aduana.yaml").write_text(f"targets: {targets}\n")
    done = aduana(*words, folder=tmp_path, environment=without_engine)
    assert done.returncode == 2
    for name in ("mine", "coder"):
        assert f"targets.{name}: " in done.stderr
    assert done.stderr.count("aduana engine install") == 2


async def test_a_server_at_home_is_served(tmp_path: Path, without_engine) -> None:
    """A server that runs already answers, without the engine's packages."""
    async with StandInCloud(answer="From the server at home.") as server:
        target = f"{{kind: openai, zone: local, base_url: '{server.base_url}', model: m, context: 4096}}"
        async with RunningGateway(tmp_path, f"targets: {{home: {target}}}\n", env=without_engine) as gateway:
            body = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{gateway.url}/v1/chat/completions", json=body) as answer,
            ):
                said = await answer.json()
    assert answer.status == 200, said
    assert said["choices"][0]["message"]["content"].strip() == "From the server at home."
