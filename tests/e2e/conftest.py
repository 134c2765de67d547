"""One gateway with the real starter model and a stand-in cloud, shared by the tests that only look at answers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.standins.cloud import StandInCloud
from tests.standins.gateway import RunningGateway, starter_models

CONFIG = """
models_dir: {models}
policy: {policy}
targets:
  home: {{kind: embedded, model: smollm2, context: 2048, slots: 8, threads: 1}}
  big:
    {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:STANDIN_KEY",
      model: big-1, ceiling: public, context: 400000}}
models:
  auto: {{}}
  local: {{targets: [home]}}
unknown_model: auto
"""

POLICY = """
version: 1
labels:
  default: internal
  tags: {health: sensitive, public: public}
  findings: {secret: sensitive, id: sensitive, financial: sensitive, contact: sensitive}
rules:
  - name: long prompts go out
    when: {prompt_tokens: {over: 600}}
    prefer: [big, home]
otherwise: {prefer: [home, big]}
"""


class House:
    """A running gateway and the cloud it may use."""

    def __init__(self, gateway: RunningGateway, cloud: StandInCloud) -> None:
        self.gateway = gateway
        self.cloud = cloud

    @property
    def base_url(self) -> str:
        """Return what an app sets as its base URL."""
        return self.gateway.url + "/v1"


# As it is by default, and not as most tests have it: clouds are asked by a process of its own.
WITH_THE_SEAL = {"STANDIN_KEY": "sk-standin", "ADUANA_EGRESS__PROCESS": "child"}


def write_house(folder: Path, cloud: StandInCloud, extra: str = "") -> str:
    """Return the configuration's text, and write the policy beside it."""
    (folder / "policy.yaml").write_text(POLICY)
    models = starter_models(folder / "models")
    return CONFIG.format(models=models, policy=folder / "policy.yaml", cloud=cloud.base_url) + extra


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory) -> AsyncIterator[House]:
    """Start the gateway and the stand-in cloud, and wait until it can answer."""
    folder = tmp_path_factory.mktemp("house")
    async with StandInCloud() as cloud:
        config = write_house(folder, cloud)
        async with RunningGateway(folder, config, env=WITH_THE_SEAL) as gateway:
            await gateway.until_ready()
            yield House(gateway, cloud)
