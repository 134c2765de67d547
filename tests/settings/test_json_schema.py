"""`aduana schema config`: what editors get agrees with what the gateway reads."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from gateway.cli import main
from gateway.settings import load_settings

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "README.es.md", "docs/limits.md", "docs/models.md", "docs/settings.md", "deploy/README.md")
TARGET = '{kind: openai, zone: cloud, base_url: "https://api.example.com/v1", model: m'


def configurations() -> list[tuple[str, str]]:
    """Return every configuration of the repository: whole files, the one in Kubernetes, blocks of pages."""
    found = [("deploy/aduana.yaml", "deploy/aduana.yaml"), ("deploy/aduana-service.yaml", "deploy/aduana-service.yaml")]
    texts = [(name, (REPOSITORY / file).read_text(encoding="utf-8")) for name, file in found]
    for document in YAML(typ="safe").load_all((REPOSITORY / "deploy/kubernetes.yaml").read_text(encoding="utf-8")):
        text = (document.get("data") or {}).get("aduana.yaml")
        texts += [("deploy/kubernetes.yaml", text)] if text else []
    for page in PAGES:
        blocks = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)
        texts += [
            (f"{page}, block {number}", block) for number, block in enumerate(blocks) if "version: 1" not in block
        ]
    return texts


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Return the schema as the command prints it."""
    with redirect_stdout(StringIO()) as printed:
        assert main(["schema", "config"]) == 0
    return json.loads(printed.getvalue())


def mistakes(schema: dict[str, Any], text: str) -> list[str]:
    """Return what an editor would mark in this text."""
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(YAML(typ="safe").load(text))]


def test_it_is_a_json_schema_and_each_setting_says_what_it_does(schema):
    """Editors take it, and show a sentence for every setting."""
    jsonschema.Draft202012Validator.check_schema(schema)
    sections = [schema, *schema["$defs"].values()]
    silent = [
        name
        for section in sections
        for option in [section, *section.get("anyOf", [])]
        for name, value in option.get("properties", {}).items()
        if not value.get("description") and name != "kind"
    ]
    assert silent == []


@pytest.mark.parametrize(("place", "text"), configurations(), ids=lambda value: value if len(value) < 50 else "")
def test_it_accepts_every_configuration_that_we_show(schema, place, text):
    """No example of ours is marked as wrong in an editor."""
    assert mistakes(schema, text) == [], place


@pytest.mark.parametrize(
    "text",
    [
        "policy: mine.yaml",
        "policy: [mine.yaml, more.yaml]",
        "engine: {memory: 20 GiB, gpu_memory: 500000000}",
        "targets: {home: {kind: embedded, model: m, unload_after: 90, load_wait: 1.5 min}}",
        f"targets: {{x: {TARGET}, ceiling: internal, endpoints: [chat]}}}}",
        "keys: {ana: {secret: 'env:ANA', tags: [health]}}",
        "log: {level: debug}",
        "models: {fast: {}}\nunknown_model: null",
    ],
)
def test_what_it_accepts_the_gateway_reads(schema, text, tmp_path):
    """Units, words of enumerations and short forms count as right for both."""
    assert mistakes(schema, text) == []
    (tmp_path / "aduana.yaml").write_text(text)
    assert load_settings(tmp_path / "aduana.yaml").targets


def test_a_list_may_be_a_file_name_alone(schema):
    """The short form of a word list is right, a wrong word in the long form is not."""
    assert mistakes(schema, "inspection: {lists: {clients: clients.txt}}") == []
    assert mistakes(schema, "inspection: {lists: {clients: {file: clients.txt, match_case: true}}}") == []
    assert mistakes(schema, "inspection: {lists: {clients: {fiel: clients.txt}}}")


@pytest.mark.parametrize(
    "text",
    [
        "sever: {}",
        "server: {prot: 1}",
        "server: {port: 70000}",
        "targets: {home: {kind: embedded, model: m, contxt: 1}}",
        "targets: {home: {kind: embeded, model: m}}",
        "targets: {Home: {kind: embedded, model: m}}",
        "targets: {home: {kind: embedded}}",
        f"targets: {{x: {TARGET}, ceiling: secret}}}}",
        f"targets: {{x: {TARGET}, api_key: sk-abc}}}}",
        "engine: {memory: 22 pounds}",
        "targets: {home: {kind: embedded, model: m, unload_after: a while}}",
        "policy: 7",
    ],
)
def test_a_typing_error_is_marked(schema, text):
    """Wrong names, words, units and limits show while a person types."""
    assert mistakes(schema, text)


def test_policies_are_what_it_prints_without_a_word(capsys):
    """`aduana schema` prints the same as `aduana schema policy`."""
    assert main(["schema"]) == 0
    alone = capsys.readouterr().out
    assert main(["schema", "policy"]) == 0
    assert capsys.readouterr().out == alone
