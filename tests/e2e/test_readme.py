"""What both READMEs tell people to type is typed here, against a real gateway (tests/docs compares their blocks)."""

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8484"
SHELL = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
YAML = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LONGER = {
    "make serve": "every other test starts the gateway",
    "make test": "that is what runs here",
    ".venv/bin/aduana engine install": "tests/cli/engine installs into environments of its own",
    "export OPENAI_API_KEY=…": "set below",
}


# Besides 0: something to mend; not everything is proved; nothing to erase.
MAY_SAY = {"doctor": (0, 1), "audit": (0, 3), "ledger": (0, 1)}


def lines() -> list[str]:
    """The commands of all blocks of shell, one a line."""
    blocks = [block for block in SHELL if not block.startswith("curl")]
    return [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


async def run(*command: str, folder: Path, **environment: str) -> tuple[int, str]:
    """Run a command and return its exit status and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize("block", [block for block in SHELL if block.startswith("curl")])
async def test_curl_gets_a_streamed_answer(block: str, house, tmp_path: Path) -> None:
    """The first command of the first five minutes streams words and ends."""
    assert ADDRESS in block
    status, said = await run("bash", "-c", "curl -sS " + block.removeprefix("curl").replace(ADDRESS, house.gateway.url),
                             folder=tmp_path)  # fmt: skip
    assert status == 0, said
    assert said.count("data: {") > 3
    assert said.rstrip().endswith("data: [DONE]")


@pytest.mark.parametrize("block", PYTHON)
async def test_openais_client_gets_an_answer(block: str, house, tmp_path: Path) -> None:
    """The Python program prints an answer as it comes."""
    assert ADDRESS in block
    status, said = await run(sys.executable, "-c", block.replace(ADDRESS, house.gateway.url), folder=tmp_path)
    assert status == 0, said
    assert len(said.split()) > 3


@pytest.mark.parametrize("line", [line for line in lines() if line not in LONGER])
async def test_a_command_runs_in_the_folder_of_the_five_minutes(line: str, house, tmp_path: Path) -> None:
    """With the policy and the cloud of the five minutes and a running gateway, each command does what it says."""
    (tmp_path / "my-policy.yaml").write_text(next(block for block in YAML if block.startswith("version: 1")))
    port = house.gateway.url.rpartition(":")[2]
    config = next(block for block in YAML if block.startswith("policy:"))
    (tmp_path / "aduana.yaml").write_text(f"{config}models_dir: {house.gateway.folder / 'models'}\n")
    (tmp_path / "request.json").write_text('{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}')
    program, *words = shlex.split(line)
    assert program == ".venv/bin/aduana", f"a way to try '{line}' is missing here"
    environment = {
        "OPENAI_API_KEY": "sk-standin",
        # A first key would close the door of the gateway that all tests share.
        "ADUANA_STATE_DIR": str((tmp_path if words[0] == "keys" else house.gateway.folder) / "state"),
        "ADUANA_SERVER__PORT": port,
    }
    if words[0] == "keys" and words[1] != "create":
        made = (sys.executable, "-m", "gateway", "keys", "create", "--app", "n8n")
        assert (await run(*made, folder=tmp_path, **environment))[0] == 0
    status, said = await run(*(sys.executable, "-m", "gateway", *words), folder=tmp_path, **environment)
    assert "Traceback" not in said
    assert status in MAY_SAY.get(words[0], (0,)), said
