"""An agents' library against the embedded engine, with the starter model: a tool that it must call, in its form."""

import asyncio
import json
import os

import pytest

from tests.clients.command_lines import TASKS
from tests.clients.environments import python_environment
from tests.standins.gateway import RunningGateway, starter_models

pytestmark = pytest.mark.model

CONFIG = """
models_dir: {models}
targets:
  home: {{kind: embedded, model: smollm2, context: 2048, slots: 2, threads: 1}}
models: {{auto: {{}}}}
"""


@pytest.mark.parametrize("speaks", ["chat", "responses"])
async def test_pydantic_ai_gets_a_typed_answer(tmp_path, speaks):
    """However small the model is, the call that it is made to write fits the tool's schema, and the run ends."""
    python = python_environment("pydantic-ai") / "python"
    config = CONFIG.format(models=starter_models(tmp_path / "models"))
    async with RunningGateway(tmp_path, config) as gateway:
        await gateway.until_ready()
        process = await asyncio.create_subprocess_exec(
            *(python, TASKS / "forced_tool_task.py", "Ada Lovelace was 36 years old. Note her.", speaks),
            env={"PATH": os.environ["PATH"], "GATEWAY_URL": gateway.url, "GATEWAY_KEY": "none"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(180):
            printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    found = json.loads(printed.splitlines()[-1])
    assert found.keys() == {"name", "age"}
    assert 0 <= found["age"] <= 120
    assert len(found["name"]) <= 20
