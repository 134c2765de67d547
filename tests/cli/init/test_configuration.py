"""Whatever was chosen, the file that is written loads, and says what was chosen."""

from pathlib import Path

import pytest

from gateway.app.room_settings import anonymous_caller, key_secrets, price_settings, priced_targets
from gateway.cli.init.candidates import Candidate
from gateway.cli.init.clouds import CLOUDS, CloudKey, keys_in
from gateway.cli.init.configuration import Choices, configuration
from gateway.cli.init.network import network, new_secrets
from gateway.cli.init.profiles import PROFILES
from gateway.cli.init.spanish import SPANISH
from gateway.cli.policies import load
from gateway.core.labels import Label, Zone
from gateway.core.translation import LANGUAGES, Translator
from gateway.observe import Prices
from gateway.policy.proof.check import check
from gateway.settings import Settings, load_settings
from gateway.shipped import folder

MODELS = (
    Candidate(kind="server", model="qwen3:14b", where="Ollama", base_url="http://127.0.0.1:11434/v1"),
    Candidate(kind="server", model="Qwen/Q 3: #1", where="vLLM", base_url="http://127.0.0.1:8000/v1", context=40960),
    Candidate(kind="server", model="yes", where="Ollama", base_url="http://127.0.0.1:11434/v1", slots=4),
    Candidate(kind="file", model="/srv/mía/a 'model'.gguf", where="LM Studio", projector="mmproj-a"),
    Candidate(kind="starter", model="smollm2"),
)
KEYS = tuple(CloudKey(cloud=cloud, variable=cloud.variables[0]) for cloud in CLOUDS)


def written(tmp_path: Path, choices: Choices, language: str = "en") -> Path:
    """Write the files as the wizard does, and return the configuration's path."""
    (tmp_path / "aduana.yaml").write_text(configuration(choices, Translator(SPANISH, language)), encoding="utf-8")
    name = f"{choices.profile.name}.yaml"
    (tmp_path / name).write_text((folder("policies") / name).read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path / "aduana.yaml"


def settings(tmp_path: Path, choices: Choices, language: str = "en") -> Settings:
    """Return what the gateway reads from it."""
    return load_settings(written(tmp_path, choices, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_profile_is_proved_with_every_kind_of_target(profile, language, tmp_path):
    """Claims and expectations hold, and each model name brings a tag that the policy knows."""
    choices = Choices(profile=profile, models=MODELS, clouds=KEYS)
    _, policy = load(written(tmp_path, choices, language), [])
    assert check(policy).passed
    tags = {tag for _, tags, _ in profile.aliases for tag in tags}
    assert tags <= policy.document.tags


def test_what_was_chosen_is_what_the_gateway_reads(tmp_path):
    """Names with colons, blanks and quotes come back as they were; the first model is loaded at start, others later."""
    read = settings(tmp_path, Choices(profile=PROFILES[0], models=MODELS, port=8490, state_dir=tmp_path / "my state"))
    assert [target.model for target in read.targets.values()] == [model.model for model in MODELS]
    assert list(read.targets) == ["home", "vllm", "ollama", "lm-studio", "smollm2"]
    assert (read.server.port, read.state_dir) == (8490, tmp_path / "my state")
    assert read.targets["lm-studio"].load == "on_demand"
    assert read.targets["lm-studio"].mmproj == "mmproj-a"
    assert {info.zone for info in read.catalog().targets.values()} == {Zone.LOCAL}
    assert set(read.aliases()) == {"auto", "private", "public", *read.targets}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_other_devices_are_let_in_by_name_and_key_alone(profile, tmp_path):
    """Beyond this machine nobody is answered without a key, and the keys' tags are ones that the policy knows."""
    shared = network(profile, tmp_path, ["casa", "casa.local", "192.168.1.20"])
    secrets = new_secrets(shared)
    for file, secret in secrets.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(secret)
    choices = Choices(profile=profile, models=MODELS[:1], network=shared)
    read, policy = load(written(tmp_path, choices), [])
    assert (read.server.host, read.server.allowed_hosts) == ("0.0.0.0", ("casa", "casa.local", "192.168.1.20"))
    assert anonymous_caller(read, stored=False) is None
    assert {caller.key: caller.admin for _, caller in key_secrets(read).values()} == {
        key.name: key.name == "admin" for key in shared.keys
    }
    assert {tag for key in shared.keys for tag in key.tags} <= policy.document.tags


def test_a_cloud_gets_public_requests_at_most_and_only_where_it_was_wanted(tmp_path):
    """A key that was found and not wanted is a comment; one that was wanted is a target with the lowest ceiling."""
    read = settings(tmp_path, Choices(profile=PROFILES[0], models=MODELS[:1], clouds=KEYS[:1], other_keys=KEYS[1:]))
    assert list(read.targets) == ["home", "openai"]
    assert read.catalog().targets["openai"].ceiling is Label.PUBLIC
    text = (tmp_path / "aduana.yaml").read_text(encoding="utf-8")
    uncommented = text.replace("\n  #   ", "\n    ").replace("\n  # anthropic:", "\n  anthropic:")
    (tmp_path / "aduana.yaml").write_text(uncommented.split("\n\n  # GEMINI")[0], encoding="utf-8")
    assert "anthropic" in load_settings(tmp_path / "aduana.yaml").targets


def test_every_cloud_has_a_known_price(tmp_path):
    """A budget would close a cloud whose price nobody knows."""
    read = settings(tmp_path, Choices(profile=PROFILES[0], models=MODELS[:1], clouds=KEYS))
    catalog = read.catalog()
    assert Prices(price_settings(read), priced_targets(read, catalog)).unpriced == frozenset()


def test_only_names_of_variables_are_kept():
    """Of a key the wizard has the variable's name; an empty variable is none."""
    found = keys_in({"OPENAI_API_KEY": "sk-secret", "GEMINI_API_KEY": " ", "GOOGLE_API_KEY": "k", "OTHER": "x"})
    assert [(key.cloud.target, key.variable) for key in found] == [
        ("openai", "OPENAI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
    ]
    assert "sk-secret" not in repr(found)
