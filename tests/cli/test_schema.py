"""`aduana schema`: editors and the gateway agree about policies."""

import json

import jsonschema

from gateway.cli import main
from gateway.core.yaml_source import parse_yaml
from gateway.policy.reader.json_schema import json_schema
from tests.policies.test_ready_policies import EXAMPLES, FILES


def test_the_schema_agrees_with_the_reader(capsys):
    """Every ready policy and every example of the handbook is valid; a mistake is not."""
    assert main(["schema", "policy"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for text in (*EXAMPLES, *(file.read_text(encoding="utf-8") for file in FILES)):
        assert list(validator.iter_errors(parse_yaml(text, "x.yaml").value)) == []
    for wrong in (
        {"version": 2}, {"version": 1, "rulez": []}, {"version": 1, "rules": [{"prefer": ["home"]}]},
        {"version": 1, "rules": [{"name": "a", "when": {"prompt_tokns": 5}}]},
        {"version": 1, "claims": [{"never": {}, "always": {}}]}, {"version": 1, "labels": {"default": "secret"}},
    ):  # fmt: skip
        assert list(validator.iter_errors(wrong)), wrong
