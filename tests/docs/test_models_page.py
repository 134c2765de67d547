"""The page about models says what the configuration has."""

import re
from pathlib import Path

import pytest

from gateway.settings import load_settings
from gateway.settings.llama import LlamaOptions

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LlamaOptions.model_fields)
def test_every_setting_of_llama_cpp_has_its_line(name: str) -> None:
    """Whoever looks for a setting of llama.cpp finds on the page what it does."""
    assert re.search(rf"^\|.*`{name}`.*\|", PAGE, re.MULTILINE)


def test_its_example_is_a_configuration(tmp_path: Path) -> None:
    """The example of the page loads, with times and sizes as people write them."""
    (tmp_path / "aduana.yaml").write_text(re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    settings = load_settings(tmp_path / "aduana.yaml")
    assert settings.engine.memory == 22 * 10**9
    assert settings.targets["coder"].unload_after == 1800.0
