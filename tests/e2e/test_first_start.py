"""What a newcomer sees who starts the gateway for the first time."""

import asyncio
import json
import re
import shlex
import shutil

import pytest

from tests.standins.gateway import RunningGateway

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
