"""The example configurations load as they are, and with their commented parts switched on."""

import re
from pathlib import Path

import pytest

from gateway.app.room_settings import key_secrets
from gateway.app.wiring import running
from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.settings import Settings, load_settings

FILES = ("aduana.yaml", "aduana-service.yaml")


def commented_parts_on(text: str) -> str:
    """Comments that are settings become settings: `  # name: …` lines below a section, by their indentation."""
    return re.sub(r"^(  )# ((?: {2})*[a-z_]+:(?: .*)?)$", r"\1\2", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", FILES)
def test_an_example_loads_and_is_local_only(name: str, deploy: Path, clean_environment) -> None:
    """As it stands, an example asks for keys and has no cloud: nothing can leave before somebody decides it."""
    settings = load_settings(deploy / name)
    assert settings.keys
    assert all(info.zone is Zone.LOCAL for info in settings.catalog().targets.values())
    assert settings.server.anonymous is None


@pytest.mark.parametrize("name", FILES)
def test_the_commented_parts_load_too(name: str, deploy: Path, tmp_path: Path, clean_environment) -> None:
    """Uncommenting an example's cloud gives a file that loads, and a cloud that gets public requests at most."""
    text = (deploy / name).read_text(encoding="utf-8")
    switched_on = commented_parts_on(text)
    assert switched_on != text
    (tmp_path / "aduana.yaml").write_text(switched_on, encoding="utf-8")
    big = load_settings(tmp_path / "aduana.yaml").catalog().targets["big"]
    assert (big.zone, big.ceiling) == (Zone.CLOUD, Label.PUBLIC)


def test_the_containers_key_comes_from_the_environment(deploy: Path, clean_environment) -> None:
    """Without its variable the gateway does not start, and says which one is missing; with it the key is known."""
    settings = load_settings(deploy / "aduana.yaml")
    clean_environment.delenv("APPS_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="APPS_API_KEY"):
        key_secrets(settings)
    clean_environment.setenv("APPS_API_KEY", "a-key-of-the-tests")
    assert key_secrets(settings) is not None


async def test_without_keys_a_container_does_not_listen(deploy: Path, tmp_path: Path, clean_environment) -> None:
    """Who removes the keys from the container's example gets a refusal: its address is one that others can reach."""
    clean_environment.setenv("ADUANA_SERVER__HOST", "0.0.0.0")
    clean_environment.setenv("ADUANA_STATE_DIR", str(tmp_path))
    settings = load_settings(deploy / "aduana.yaml").model_copy(update={"keys": {}})
    with pytest.raises(ConfigurationError, match="keys"):
        async with running(settings):
            pass


def variables(text: str) -> set[str]:
    """Names of the ADUANA_ variables that a file sets."""
    return set(re.findall(r"\bADUANA_[A-Z_]+(?==)", text))


@pytest.mark.parametrize("name", ["Containerfile", "aduana.service"])
def test_the_variables_are_settings(name: str, deploy: Path) -> None:
    """Each ADUANA_ variable that the image and the unit set is a setting that exists."""
    found = variables((deploy / name).read_text(encoding="utf-8"))
    assert "ADUANA_STATE_DIR" in found
    for variable in found:
        model: object = Settings
        for part in variable.removeprefix("ADUANA_").lower().split("__"):
            fields = getattr(model, "model_fields")  # noqa: B009 - mypy: the type changes on the way down
            assert part in fields, f"{variable}: {part} is not a setting"
            model = fields[part].annotation
