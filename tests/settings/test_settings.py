"""Configuration: what a person writes, and what they are told when it is wrong."""

from pathlib import Path

import pytest

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label, Zone
from gateway.settings import load_settings, read_secret

CLOUD = '{kind: openai, zone: cloud, base_url: "https://api.example.com/v1", model: m'


def write(folder: Path, text: str) -> Path:
    """Write a text as a configuration file, and return its path."""
    path = folder / "aduana.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> str:
    """Return what a person reads who starts the gateway with this file."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(folder, text))
    return "\n".join(caught.value.problems)


def test_without_a_file_the_starter_model_runs_and_nothing_else(monkeypatch, tmp_path):
    """Without a configuration file there is one target, the starter model, and it is local."""
    monkeypatch.chdir(tmp_path)
    catalog = load_settings().catalog()
    assert [(t.name, t.kind, t.zone) for t in catalog.targets.values()] == [("home", "embedded", Zone.LOCAL)]
    assert catalog.resolve("whatever-name").name == "auto"


def test_a_file_in_the_working_directory_is_found(monkeypatch, tmp_path):
    """An `aduana.yaml` in the working directory is read without being named."""
    write(tmp_path, "server: {port: 9000}")
    monkeypatch.chdir(tmp_path)
    assert load_settings().server.port == 9000


def test_a_persons_own_file_is_read_where_the_working_directory_has_none(monkeypatch, tmp_path):
    """`~/.config/aduana/aduana.yaml` counts anywhere, and a file in the working directory comes before it."""
    own = tmp_path / "config" / "aduana"
    own.mkdir(parents=True)
    write(own, "server: {port: 9001}\npolicy: mine.yaml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    assert load_settings().server.port == 9001
    assert load_settings().policy == (own / "mine.yaml",)
    write(tmp_path, "server: {port: 9000}")
    assert load_settings().server.port == 9000


def test_the_environment_wins_over_the_file(monkeypatch, tmp_path):
    """`ADUANA_SERVER__PORT` overrides `server.port` and leaves its neighbours alone."""
    path = write(tmp_path, "server: {port: 9000, drain_seconds: 5}")
    monkeypatch.setenv("ADUANA_SERVER__PORT", "9001")
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path / "state"))
    settings = load_settings(path)
    assert (settings.server.port, settings.server.drain_seconds, settings.state_dir) == (9001, 5, tmp_path / "state")


@pytest.mark.parametrize("value", ["a.example, b.example", '["a.example", "b.example"]'])
def test_a_list_in_a_variable(monkeypatch, tmp_path, value):
    """With commas or as JSON, in a section, in the whole, and where the entries are files."""
    monkeypatch.setenv("ADUANA_SERVER__ALLOWED_HOSTS", value)
    monkeypatch.setenv("ADUANA_HEADER_FACTS", value)
    monkeypatch.setenv("ADUANA_POLICY", value)
    settings = load_settings(write(tmp_path, "server: {port: 9000}"))
    expected = ("a.example", "b.example")
    assert (settings.server.allowed_hosts, settings.header_facts) == (expected, expected)
    assert tuple(map(str, settings.policy)) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ADUANA_SERVER", "loopback"),
        ("ADUANA_TARGETS", "{home"),
        ("ADUANA_HEADER_FACTS", '["x-a"'),
        ("ADUANA_BUDGETS__KEYS_USD", "3"),
        ("ADUANA_ENERGY__TARIFF__HOURS", "cheap,dear"),
    ],
)
def test_a_variable_that_cannot_be_read_is_an_error_that_names_it(monkeypatch, tmp_path, variable, value):
    """A section, a mapping or a list that is none ends in a sentence, not in a traceback."""
    monkeypatch.setenv(variable, value)
    assert f"environment variable {variable}" in problems(tmp_path, "log: {level: info}")


def test_a_wrong_variable_is_named(monkeypatch, tmp_path):
    """The message names the environment variable, not a line of the file that is innocent."""
    monkeypatch.setenv("ADUANA_SERVER__PORT", "many")
    assert "environment variable ADUANA_SERVER__PORT" in problems(tmp_path, "server: {port: 9000}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("targets: {ear: {kind: speech, modle: m}}", ["aduana.yaml:1:31", "'targets.ear.modle' is not a setting"]),
        ("targets: {one: {kind: espeek}}", ["aduana.yaml:1:11", "gemini, speech or espeak"]),
        ("sever: {}", ["aduana.yaml:1:1", "'sever' is not a setting", "Did you mean 'server'?"]),
        ("server:\n  prot: 1", ["aduana.yaml:2:3", "Did you mean 'port'?"]),
        ("server: {port: 70000}", ["aduana.yaml:1:10", "server.port"]),
        ("server: {port: 1}\nserver: {port: 2}", ["aduana.yaml:2:1", "stands twice"]),
        ("server: [", ["aduana.yaml:", "never closed"]),
        ("- a", ["aduana.yaml:1:1", "must be a mapping"]),
        ("targets: {home: {kind: embedded, model: m, contxt: 1}}", ["Did you mean 'context'?"]),
        (
            "targets: {x: {kind: embeded, model: m}}",
            ["targets.x.kind is not known; use embedded,"],
        ),
        ("targets: {x: {model: m}}", ["needs a 'kind'"]),
        (f"targets: {{x: {CLOUD}, ceiling: sensitive}}}}", ["can't be 'sensitive'", "aduana.yaml:1:"]),
        (f"targets: {{x: {CLOUD}, ceiling: secret}}}}", ["is not a label"]),
        (f"targets: {{x: {CLOUD}, api_key: sk-abc}}}}", ["env:NAME", "file:PATH"]),
        ('targets: {x: {kind: openai, zone: cloud, base_url: "https://u:p@h/v1", model: m}}', ["without user name"]),
        ("server: {allowed_origins: ['*']}", ["aduana.yaml:1:", "There is no wildcard"]),
        ("server: {allowed_origins: ['https://*.lan']}", ["not the origin of a page"]),
        ("server: {allowed_origins: [chat.lan]}", ["scheme://host:port"]),
        ("server: {allowed_origins: ['https://chat.lan/app']}", ["scheme://host:port"]),
        ("server: {allowed_origins: ['null']}", ["scheme://host:port"]),
        ("targets: {}", ["name at least one"]),
        ("models: {fast: {targets: [hoem]}}", ["models.fast names the target 'hoem'"]),
        ("models: {fast: {}}", ["unknown_model is 'auto'"]),
    ],
)
def test_mistakes_are_told_with_their_place(tmp_path, text, expected):
    """Each mistake in a file is told with file, line and column, and with what to write instead."""
    message = problems(tmp_path, text)
    assert all(part in message for part in expected), message


def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path):
    """A secret pasted into the file is refused, and the message does not repeat it: it may end in a log."""
    message = problems(tmp_path, f"targets: {{x: {CLOUD}, api_key: sk-live-1234567890}}}}")
    assert "sk-live" not in message


def test_a_cloud_target_may_receive_public_text_only_unless_told_otherwise(tmp_path):
    """The default ceiling of a cloud target is `public`."""
    settings = load_settings(write(tmp_path, f"targets: {{x: {CLOUD}}}}}"))
    assert settings.catalog().targets["x"].ceiling is Label.PUBLIC


def test_policy_paths_count_from_the_file(tmp_path):
    """`policy: mine.yaml` means the file beside the configuration."""
    settings = load_settings(write(tmp_path, "policy: mine.yaml"))
    assert settings.policy == (tmp_path / "mine.yaml",)


def test_a_missing_file_is_named(tmp_path):
    """A wrong path behind `--config` is an error that names it; the defaults are not used instead."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml"):
        load_settings(tmp_path / "nowhere.yaml")


class TestSecrets:
    """Secrets written as `env:NAME` or `file:PATH`."""

    def test_from_the_environment(self, monkeypatch):
        """`env:NAME` is read from that environment variable."""
        monkeypatch.setenv("SOME_KEY", "sk-1")
        assert read_secret("env:SOME_KEY") == "sk-1"

    def test_from_a_file(self, tmp_path):
        """`file:PATH` is read from that file, without the newline that editors add."""
        (tmp_path / "key").write_text("sk-2\n")
        assert read_secret(f"file:{tmp_path}/key") == "sk-2"

    @pytest.mark.parametrize("content", ["", "two words", "line\nline", "clé"])
    def test_what_no_header_can_carry_is_refused(self, tmp_path, content):
        """A secret that would break a header is an error here, not at the first request."""
        (tmp_path / "key").write_text(content)
        with pytest.raises(ConfigurationError) as caught:
            read_secret(f"file:{tmp_path}/key")
        assert not content or content not in str(caught.value)

    def test_a_missing_one_is_named(self):
        """A secret that is not there is an error that names the variable."""
        with pytest.raises(ConfigurationError, match="SURELY_NOT_SET"):
            read_secret("env:SURELY_NOT_SET")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("engine: {memory: 22 apples}", "write a size as '22 GB'"),
        ("engine: {memory: 0}", "engine.memory"),
        ("engine: {memory: -3 GB}", "write a size as"),
        ("targets: {home: {kind: embedded, model: m, unload_after: soon}}", "write a time as '90 s'"),
        ("targets: {home: {kind: embedded, model: m, load: never}}", "start"),
        ("targets: {home: {kind: embedded, model: m, kv_type: q8_0, flash_attention: 'off'}}", "flash_attention"),
        ("targets: {home: {kind: embedded, model: m, yarn_ext_factor: .nan}}", "yarn_ext_factor"),
        (f"targets: {{big: {CLOUD}, endpoints: [rerank]}}}}", "rerank is for local targets"),
        (f"targets: {{big: {CLOUD}, endpoints: [decisions]}}}}", "decisions is for local targets"),
    ],
)
def test_models_and_their_memory(text, expected, tmp_path):
    """Sizes, times and combinations that can't be are refused with what to write."""
    assert expected in problems(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "value"), [("500 MB", 5 * 10**8), ("2GiB", 2**31), ("'1.5 tb'", 15 * 10**11), ("9", 9)]
)
def test_sizes_as_people_write_them(text, value, tmp_path):
    """Sizes may have decimal units (GB) and binary ones (GiB)."""
    assert load_settings(write(tmp_path, f"engine: {{memory: {text}}}")).engine.memory == value


def test_lists_are_read_from_files_beside_the_configuration(tmp_path):
    """A list is a file with one entry a line, in which comments and empty lines do not count."""
    (tmp_path / "clients.txt").write_text("# ours\nTalbex Iberia\n\n  Norvex  \n", encoding="utf-8")
    file = tmp_path / "aduana.yaml"
    file.write_text(
        "inspection:\n  lists:\n    clients: clients.txt\n    codes: {file: clients.txt, match_case: true}\n", "utf-8"
    )
    lists = load_settings(file).inspection.lists
    assert lists["clients"].entries == lists["codes"].entries == ("Talbex Iberia", "Norvex")
    assert (lists["clients"].match_case, lists["codes"].match_case) == (False, True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "clients.txt can't be read"),
        (b"ok name\nx\n", "clients.txt:2: fewer than 2 letters"),
        (b"a" * 401, "clients.txt:1: longer than 400"),
        (b"\xff\xfe\xff", "not UTF-8"),
        (b"# nothing\n", "has no entries"),
    ],
)
def test_a_list_that_cannot_be_used_is_an_error_with_its_place(tmp_path, content, words):
    """Never a gap in the protection: file and line of the configuration, and of the list where it is about one."""
    if content is not None:
        (tmp_path / "clients.txt").write_bytes(content)
    file = tmp_path / "aduana.yaml"
    file.write_text("inspection:\n  lists:\n    clients: clients.txt\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{file}:3:")
    assert words in problem


def test_paths_count_from_the_file_that_names_them(tmp_path, monkeypatch):
    """Relative paths count from the directory of the file; absolute ones and `~` stay what they are."""
    monkeypatch.setenv("HOME", "/home/ana")
    monkeypatch.chdir("/")
    settings = load_settings(
        write(
            tmp_path,
            "policy: my-policy.yaml\n"
            "candidate: [~/new.yaml, /etc/aduana/next.yaml]\n"
            "prices: {reference_tokenizer: tokenizer.json, data_file: ../prices.json}\n"
            "energy: {tariff: {file: pvpc.csv}}\n",
        )
    )
    assert settings.policy == (tmp_path / "my-policy.yaml",)
    assert [str(path) for path in settings.candidate] == ["/home/ana/new.yaml", "/etc/aduana/next.yaml"]
    assert settings.prices.reference_tokenizer == tmp_path / "tokenizer.json"
    assert settings.prices.data_file == tmp_path / ".." / "prices.json"
    assert settings.energy.tariff.file == tmp_path / "pvpc.csv"


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        (1, "limits: {targets: {big: {parallel: 2}}}\n", "'big' is a target which 'targets' does not have"),
        (1, "limits: {tags: {default: {parallel: 2}}}\n", "tags have no 'default'"),
        (1, "limits: {users: {ana: {parallel: 0}}}\n", "limits.users.ana.parallel"),
        (1, "limits: {users: {ana: {paralel: 1}}}\n", "parallel"),
        (2, "keys: {a: {secret: env:A, limits: {parallel: 1}}}\nlimits: {keys: {a: {usd_day: 1}}}\n", "in one place"),
        (2, "limits: {keys: {a: {usd_month: 1}}}\nbudgets: {keys_usd: {a: 2}}\n", "in one place"),
        (2, "keys: {a: {secret: env:A, limits: {usd_month: 1}}}\nbudgets: {keys_usd: {a: 2}}\n", "in one place"),
    ],
)
def test_limits_that_say_nothing_or_two_things_do_not_load(tmp_path, line, text, said):
    """Limits of what does not exist, and two of one kind for one key, are refused where they stand."""
    file = tmp_path / "aduana.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_settings(file)
    assert caught.value.problems[0].startswith(f"{file}:{line}:")


def test_two_keys_of_one_secret_do_not_load(tmp_path):
    """Two keys that read the same secret are refused where the second one says it; the first is named, too."""
    file = tmp_path / "aduana.yaml"
    file.write_text('keys:\n  desk: {secret: "env:A_KEY"}\n  tablet: {secret: "env:A_KEY", tags: [child]}\n')
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{file}:3:")
    assert "'tablet' has the same secret as the key 'desk'" in problem


@pytest.mark.parametrize(("word", "store"), [("on", "on"), ("off", "off"), ("true", "on"), ("false", "off")])
def test_storing_is_off_until_the_owner_turns_it_on(tmp_path, word, store):
    """Nothing of a request is kept by default; on and off may be written as YAML has them."""
    assert load_settings(write(tmp_path, "{}")).responses.store == "off"
    assert load_settings(write(tmp_path, f"responses: {{store: {word}}}")).responses.store == store


def test_one_response_is_no_larger_than_all(tmp_path):
    """A bound for one response that is above the bound for all is a mistake."""
    assert "max_response_bytes" in problems(tmp_path, "responses: {max_response_bytes: 2 GiB}")


OWN = "kind: openai, zone: cloud, credential: client, model: m"
AT_A = f'{{{OWN}, base_url: "https://a.example.com/v1"}}'
AT_B = f'{{{OWN}, base_url: "https://b.example.com/v1"}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"targets: {{big: {CLOUD}, credential: client, api_key: 'env:X'}}}}", "exclude each other"),
        (f"targets: {{big: {CLOUD}, credential: client, api_version: '2025'}}}}", "not together with 'api_version'"),
        (
            "targets: {den: {kind: openai, zone: local, base_url: 'http://10.0.0.2/v1', model: m, credential: client}}",
            "for zone cloud only",
        ),
        (f"targets: {{a: {AT_A}, b: {AT_B}}}", "'b' and 'a' both want the client's own key"),
        (f"targets: {{a: {AT_A}, g: {{kind: gemini, model: m, credential: client}}}}", "'g' and 'a' both want"),
        ("header_facts: [x-app, Authorization]", "holds a credential"),
        ("header_facts: [x-aduana-key]", "holds a credential"),
    ],
)
def test_where_a_clients_key_could_go_astray(text, expected, tmp_path):
    """No configuration loads in which a client's key could reach a wrong provider, a home server or a receipt."""
    assert expected in problems(tmp_path, text)


def test_targets_that_want_a_clients_key(tmp_path):
    """Several models of one provider want the same key, and Anthropic takes another one than providers like OpenAI."""
    text = f"targets: {{a: {AT_A}, b: {AT_A}, c: {{kind: anthropic, model: m, credential: client}}, d: {CLOUD}}}}}"
    targets = load_settings(write(tmp_path, text)).catalog().targets
    assert [info.client_credential for info in targets.values()] == [True, True, True, False]


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        ("[pdf, text]", {"pdf", "text"}),
        ("sound", {"sound"}),
        ("false", set()),
        ("[]", set()),
    ],
)
def test_kinds_of_attachments_that_may_leave_are_named(tmp_path, written, kinds):
    """One kind, a list of them, or none; what nobody named stays."""
    settings = load_settings(write(tmp_path, f"attachments: {{clean_may_leave: {written}}}"))
    assert set(settings.attachments.clean_may_leave) == kinds
    assert settings.catalog().clean_attachments_leave is bool(kinds)


@pytest.mark.parametrize("of_file", [True, False])
def test_true_names_all_but_recordings_and_films(monkeypatch, tmp_path, of_file):
    """`true`, in the file or in the environment, lets no voice leave."""
    text = "attachments: {clean_may_leave: true}" if of_file else "{}"
    if not of_file:
        monkeypatch.setenv("ADUANA_ATTACHMENTS__CLEAN_MAY_LEAVE", "true")
    named = load_settings(write(tmp_path, text)).attachments.clean_may_leave
    assert {"pdf", "picture", "mail"} <= set(named)
    assert not {"sound", "video", "unknown"} & set(named)


def test_what_is_not_read_may_not_leave(tmp_path):
    """Settings that need a reading say so where nobody reads; a misspelt kind is named."""
    assert "read is off" in problems(tmp_path, "attachments: {read: off, clean_may_leave: [pdf]}")
    assert "read is off" in problems(tmp_path, "attachments: {read: off, for_text_models: true}")
    assert "clean_may_leave" in problems(tmp_path, "attachments: {clean_may_leave: [pdfs]}")


def test_only_targets_at_home_are_given_text(tmp_path):
    """`for_text_models` is for local targets; a cloud's catalog entry knows nothing of it."""
    text = f"""
attachments: {{for_text_models: true}}
targets:
  home: {{kind: embedded, model: smollm2}}
  lan: {{kind: openai, zone: local, base_url: "http://127.0.0.1:1/v1", model: m}}
  big: {CLOUD}, api_key: "env:KEY"}}
"""
    targets = load_settings(write(tmp_path, text)).catalog().targets
    assert {name for name, info in targets.items() if info.given_as_text} == {"home", "lan"}
