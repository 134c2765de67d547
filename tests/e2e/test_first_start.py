"""What a newcomer sees who starts the gateway for the first time."""

import asyncio
import contextlib
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.engine.tiny import write_encoder
from tests.standins.gateway import RunningGateway, starter_models

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="session")]


async def said(gateway: RunningGateway, words: str) -> None:
    """Wait until the terminal shows these words."""
    async with asyncio.timeout(120):
        while words not in gateway.log:  # noqa: ASYNC110 - a terminal has no event
            await asyncio.sleep(0.05)


async def test_a_fresh_state_directory_gets_its_model_and_the_last_lines_say_what_to_do(tmp_path):
    """Progress while the model is unpacked; then the page, the base URL, and a command that answers as it stands."""
    async with RunningGateway(tmp_path, "targets: {home: {kind: embedded, model: smollm2, slots: 2}}") as gateway:
        await said(gateway, "Try:")
        shown = gateway.log
        assert "Unpacking the starter model: 100 %" in shown
        assert (tmp_path / "state" / "models" / "smollm2.gguf").is_file()
        last = shown[shown.index("Aduana is ready.") :]
        assert f"{gateway.url}/\n" in last
        assert f"{gateway.url}/v1 " in last
        command = re.search(r"curl .*", last)
        assert command is not None
        if shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command[0]), "--silent", stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert json.loads(output)["choices"][0]["message"]["content"]


@pytest.mark.parametrize(("endpoint", "pooling", "answer"), [("embeddings", 1, "data"), ("rerank", 4, "results")])
async def test_a_gateway_without_a_chat_model_is_ready_too(endpoint, pooling, answer, tmp_path):
    """Where all that is served is vectors or ranks, the gateway is ready, and the command to try asks for those."""
    write_encoder(tmp_path / "tiny.gguf", pooling)
    target = f"{{kind: embedded, model: tiny, threads: 1, load: on_demand, endpoints: [{endpoint}]}}"
    async with RunningGateway(tmp_path, f"models_dir: {tmp_path}\ntargets: {{only: {target}}}") as gateway:
        await gateway.until_ready()
        await said(gateway, "Try:")
        command = re.search(r"curl (\S+) .* -d '(.*)'", gateway.log)
        assert command is not None
        async with aiohttp.ClientSession() as http, http.post(command[1], json=json.loads(command[2])) as got:
            assert (got.status, answer in await got.json()) == (200, True)


async def test_a_target_that_can_not_answer_is_said_at_the_end_of_the_terminal(tmp_path):
    """The last lines say which target can't answer and why, and show no page as if all were well."""
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\0" * 4096)
    config = f"models_dir: {tmp_path}\ntargets: {{home: {{kind: embedded, model: broken}}}}"
    async with RunningGateway(tmp_path, config) as gateway:
        await said(gateway, "can't answer: failed:")
        assert "Aduana is ready" not in gateway.log


async def test_machines_that_read_json_lines_get_no_sentences(tmp_path):
    """With the JSON log, each line stays a JSON object: no sentences for people come between."""
    config = "log: {format: json}\ntargets: {home: {kind: embedded, model: smollm2, slots: 2}}"
    async with RunningGateway(tmp_path, config) as gateway:
        await gateway.until_ready()
    lines = [line for line in gateway.log.splitlines() if not line.startswith("Unpacking")]
    assert {json.loads(line)["event"] for line in lines} >= {"gateway.listening", "model ready", "gateway.stopping"}


async def test_a_start_that_fails_ends_at_once_and_leaves_no_engine(tmp_path):
    """A policy that can't be read: the terminal says where, and the engine that had begun to load is gone, too."""
    (tmp_path / "bad.yaml").write_text("version: 1\nrules: 7\n")
    models = starter_models(tmp_path / "models")
    config = tmp_path / "aduana.yaml"
    config.write_text(f"models_dir: {models}\nstate_dir: {tmp_path / 'state'}\npolicy: bad.yaml\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--port", "0", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"TMPDIR": str(tmp_path)},  # the engine inherits it, and is found by it
    )
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert process.returncode == 2
    assert "bad.yaml:2" in said.decode()
    assert (tmp_path / "state" / "ledger.lock").exists()  # it had begun
    assert not engines_in(tmp_path)


def engines_in(folder: Path) -> list[Path]:
    """The engines on this machine whose temporary files go to this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"gateway.engine" in (process / "cmdline").read_bytes():
                found += [process] if str(folder).encode() in (process / "environ").read_bytes() else []
    return found
