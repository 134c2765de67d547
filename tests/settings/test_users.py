"""`users:` in the configuration: what a person writes, and what they are told when it is wrong."""

import re
from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.settings import load_settings

PROVIDER = '{issuer: "https://auth.example.org", audience: aduana, jwks_url: "https://auth.example.org/jwks.json"}'


def write(folder: Path, text: str) -> Path:
    """Write a text as a configuration file, and return its path."""
    path = folder / "aduana.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_section_is_read(tmp_path: Path) -> None:
    """Providers, front ends and groups with the names that providers write; policies may name what they attach."""
    settings = load_settings(
        write(
            tmp_path,
            "users:\n"
            "  record: pseudonym\n"
            "  front_end: {secret: 'env:WEBUI', name: id}\n"
            f"  providers: {{authelia: {PROVIDER}, file: {{issuer: x, audience: [a, b], jwks_file: jwks.json}}}}\n"
            "  groups: {/Domain Users: {tags: [staff], models: [auto]}, '*': {}}\n",
        )
    )
    users = settings.users
    assert users.providers["authelia"].audiences == ("aduana",)
    assert users.providers["file"].jwks_file == tmp_path / "jwks.json"
    assert "none" not in users.providers["file"].algorithms
    assert settings.catalog().keys == {"authelia", "file"}
    assert "staff" in settings.catalog().key_tags


def test_the_examples_of_the_page_can_be_used(tmp_path: Path) -> None:
    """Whoever copies the configurations of docs/users.md gets no error, and what they say."""
    page = Path(__file__).resolve().parents[2] / "docs" / "users.md"
    found = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    front, keycloak = [load_settings(write(tmp_path, block)) for block in found if "users:" in block]
    assert front.keys["webui"].front_end
    assert front.users.front_end.required
    assert keycloak.users.providers["keycloak"].name == "preferred_username"
    assert set(keycloak.users.groups) == {"/doctors", "/it", "*"}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("keys: {a: {secret: 'env:A'}}\nusers:\n  providers:\n    a: " + PROVIDER, 4, "is the name of a key too"),
        ("keys:\n  anonymous: {secret: 'env:A'}", 2, "stands for whoever asks without a key"),
        (f"users:\n  providers:\n    a: {PROVIDER}\n    b: {PROVIDER}", 4, "is that of 'a' too"),
        ("keys:\n  a: {secret: 'env:A', front_end: true, admin: true}", 2, "would administer"),
        ("users:\n  providers:\n    a: {issuer: x, audience: y}", 3, "'jwks_url' or 'jwks_file'"),
        ('users:\n  providers:\n    a: {issuer: x, audience: y, jwks_url: "http://9.9.9.9/k"}', 3, "begin with https"),
        ("users:\n  providers:\n    a: {issuer: x, jwks_file: k}", 3, "audience"),
        ("users:\n  providers:\n    a: {issuer: x, audience: y, jwks_file: k, algorithms: [HS256]}", 3, "algorithms"),
        ("users:\n  providers:\n    a: {issuer: x, audience: y, jwks_file: k, algorithms: [none]}", 3, "algorithms"),
        ("users:\n  providers:\n    a: {issuer: x, audience: y, jwks_file: k, algorithms: []}", 3, "algorithms"),
        ("users:\n  front_end: {secret: my-secret}", 2, "never the secret itself"),
        ("users:\n  front_end: {header: 'X Y'}", 2, "header"),
        ("users: {front_end: {secret: 'env:A'}}\nheader_facts: [x-openwebui-user-jwt]", 2, "holds a credential"),
        ("users:", 1, "settings belong below it"),
        ("keys:", 1, "settings belong below it"),
        ("keys:\n  - {name: a, secret: 'env:A'}", 1, "settings belong below it"),
        ("keys:\n  a: {secret: 'env:A', tags: office}", 2, "write a list"),
        ("users:\n  recorded: plain", 2, "Did you mean 'record'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, line: int, told: str) -> None:
    """Each problem has file, line and what to do."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(tmp_path, text))
    assert all(f"aduana.yaml:{line}:" in problem for problem in caught.value.problems)
    assert told in caught.value.problems[0]
