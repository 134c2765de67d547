"""`aduana connect APP --check` asks a running gateway as the app would, and says whether that works."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.raw_server import raw_server
from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway

REPOSITORY = Path(__file__).resolve().parents[3]
KEY = "sk-aduana-0123456789abcdef"
CONFIG = """
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: home-1, context: 32768}}
keys:
  app: {{secret: "env:APP_KEY"}}
"""
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory) -> AsyncIterator[RunningGateway]:
    """Start a gateway with a key, and a server at home behind it."""
    folder = tmp_path_factory.mktemp("gateway")
    async with (
        StandInCloud("Hello.") as home,
        RunningGateway(folder, CONFIG.format(home=home.base_url), env={"APP_KEY": KEY}) as running,
    ):
        yield running


async def check(folder: Path, *arguments: str, key: str = KEY) -> tuple[int, str]:
    """Have the gateway asked in an app's way, and return the exit status and what was printed."""
    return await connect(folder, *arguments, "--check", key=key)


async def connect(folder: Path, *arguments: str, key: str = KEY) -> tuple[int, str]:
    """Run the command in a person's folder and return its exit status and what it printed, on one line."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(REPOSITORY), "ADUANA_KEY": key}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "connect", *arguments),
        cwd=folder,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, " ".join(printed.decode().split())


@pytest.mark.parametrize(
    ("app", "path"),
    [
        ("curl", "/v1/chat/completions"),
        ("codex", "/v1/responses"),
        ("claude-code", "/v1/messages"),
        ("ollama", "/api/chat"),
    ],
)
async def test_each_dialect_is_asked_in_its_way(gateway, tmp_path, app, path):
    """The answer tells where the question went."""
    status, printed = await check(tmp_path, app, "--url", gateway.url)
    assert status == 0, printed
    assert f"{path} answered in" in printed
    assert "target home, zone local, label internal" in printed


async def test_makers_of_pictures_are_listed(gateway, tmp_path):
    """AUTOMATIC1111's clients send the key as a password; no picture is made for a check."""
    status, printed = await check(tmp_path, "a1111", "--url", gateway.url)
    assert status == 0, printed
    assert "models for pictures" in printed


async def test_a_wrong_key_is_told(gateway, tmp_path):
    """In the gateway's own words, and without the key."""
    status, printed = await check(tmp_path, "curl", "--url", gateway.url, key="sk-wrong-key-0123456789")
    assert status == 1
    assert "This API key is not known here" in printed
    assert "sk-wrong" not in printed


async def test_a_container_needs_its_host_to_be_allowed(gateway, tmp_path):
    """The question comes with the host name that a container uses."""
    status, printed = await check(tmp_path, "open-webui", "--url", gateway.url)
    assert status == 1
    assert "'host.docker.internal' is not served here" in printed
    assert "server.allowed_hosts" in printed


async def test_no_gateway_is_told(tmp_path):
    """Where nothing listens, that is said, not a stack of calls."""
    status, printed = await check(tmp_path, "curl", "--url", "http://127.0.0.1:9")
    assert status == 1
    assert "No gateway answers at http://127.0.0.1:9" in printed


async def test_another_window_is_told(gateway, tmp_path):
    """An app that believes in a larger window sends more than fits."""
    status, printed = await check(tmp_path, "codex", "--url", gateway.url, "--window", "100000")
    assert status == 0, printed
    assert "The window is 32768 tokens; the app is told 100000. --window 32768" in printed


async def test_a_running_gateway_is_asked_for_its_window(gateway, tmp_path):
    """Where the configuration leaves it open, what runs knows it: settings have that window."""
    open_config = CONFIG.replace(", context: 32768", "").replace("APP_KEY", "ADUANA_KEY")
    port = gateway.url.rpartition(":")[2]
    (tmp_path / "aduana.yaml").write_text(
        f"server: {{port: {port}}}\n" + open_config.format(home="http://127.0.0.1:9/v1")
    )
    status, printed = await connect(tmp_path, "codex")
    assert status == 0, printed
    assert "model_context_window = 32768" in printed
    assert "are assumed" not in printed


async def test_the_apps_file_is_looked_at(gateway, tmp_path):
    """Whether the app itself has these settings is said beside it."""
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text('model = "other"\n')
    status, printed = await check(tmp_path, "codex", "--url", gateway.url)
    assert status == 0, printed
    assert "config.toml does not have these settings (--write)" in printed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "No gateway answers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "No gateway answers"),
        (b'HTTP/1.1 403 No\r\n\r\n{"error": {"message": "\\u001b]0;mine\\u0007 no"}}', "]0;mine"),
    ],
)
async def test_what_is_no_gateway_is_told_and_steers_no_terminal(answer, said, tmp_path):
    """Another program's port ends with a sentence, and what a server says stays text."""
    with raw_server(answer) as url:
        status, told = await check(tmp_path, "openai", "--url", url)
    assert (status, said in told) == (1, True), told
    assert "Traceback" not in told
    assert told.isprintable()
