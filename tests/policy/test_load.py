"""Policy files load whole or not at all, and every problem names file, line, column and what was probably meant."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.errors import ConfigurationError
from gateway.core.labels import Label
from gateway.core.target import TargetState
from gateway.policy import load_policy
from gateway.policy.reader.context import ROOTS
from gateway.privacy import CATEGORIES
from tests.policy.house import HOUSE, SHAPE, SMALL_HOUSE, ask, names, policy_of

HEAD = "version: 1\nlabels: {tags: {health: sensitive, public: public}}\n"
TAIL = "\notherwise: {prefer: [home]}\n"


def problems(text: str, **others: str) -> list[str]:
    """Return what is said of a file (and of those it includes)."""
    with pytest.raises(ConfigurationError) as caught:
        load_policy([("p.yaml", text)], HOUSE, read=_reader(others))
    return list(caught.value.problems)


def _reader(others: dict[str, str]):
    def read(path: str) -> str:
        if path.removesuffix(".yaml") not in others:
            raise ConfigurationError((f"{path}: can't be read: no such file.",))
        return others[path.removesuffix(".yaml")]

    return read


def rule(text: str) -> str:
    """Return a policy with one rule, in line 4."""
    return f"{HEAD}rules:\n  - {{name: a, prefer: [home], {text}}}{TAIL}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The file as YAML.
        (HEAD + "rules: []\nrules: []" + TAIL, "p.yaml:4:1: the key 'rules' stands twice in one mapping (first"),
        (HEAD + "rules: [" + TAIL, "is not closed"),
        ("- a\n", "p.yaml:1:1: a policy must be a mapping"),
        ("", "p.yaml:1:1: the policy has no 'version'"),
        ("version: 2" + TAIL, "p.yaml:1:1: version 2 of the language is not known"),
        ("version: 1\nlabels: {}\n", "p.yaml:1:1: the policy has no 'otherwise'"),
        # Words that don't exist.
        ("version: 1\nrulez: []" + TAIL, "p.yaml:2:1: a policy has no key 'rulez'. Did you mean 'rules'?"),
        (rule("when: {prompt_tokns: 5}"), "p.yaml:4:38: the fact 'prompt_tokns' does not exist. Did you mean"),
        (rule("when: {tags: {in: [heatlh]}}"), "p.yaml:4:50: the tag 'heatlh' does not exist. Did you mean 'health'?"),
        (rule("when: {findings: id.natonal}"), "the category 'id.natonal' does not exist. Did you mean 'id.national'?"),
        (rule("when: {findings: {category: secrets, count: {over: 1}}}"), "Did you mean 'secret'?"),
        ("version: 1\nlabels: {findings: {finacial: internal}}" + TAIL, "'finacial' does not exist. Did you mean 'fin"),
        (rule("when: {tags: zzz}"), "A new tag is declared in 'labels.tags'"),
        (rule("only: [hom]"), "p.yaml:4:38: the target 'hom' does not exist. Did you mean 'home'?"),
        (rule("raise: sensitiv"), "the label 'sensitiv' does not exist. Did you mean 'sensitive'?"),
        (rule("when: {key: kid-tablet}"), "the key 'kid-tablet' does not exist. Did you mean 'kids-tablet'?"),
        (rule("when: {alias: hoome}"), "the model 'hoome' does not exist. Did you mean 'home'?"),
        (rule("when: {endpoint: chats}"), "the endpoint 'chats' does not exist. Did you mean 'chat'?"),
        (rule("when: {weekday: Monday}"), "the weekday 'Monday' does not exist. Did you mean 'monday'?"),
        (rule("when: {price: {on: bigg, over: 1}}"), "the target 'bigg' does not exist. Did you mean 'big'?"),
        (rule("when: {spent: {of: dya, over: 1}}"), "the budget 'dya' does not exist. Did you mean 'day'?"),
        (rule("when: {prompt_tokens: {ovr: 5}}"), "the fact 'prompt_tokens' has no key 'ovr'. Did you mean 'over'?"),
        (rule("when: bussy"), "the named condition 'bussy' does not exist"),
        ("version: 1\nlabels: {doubts: {tim: public}}" + TAIL, "the kind of part 'tim' does not exist"),
        (HEAD + "keys: {lap: {}}" + TAIL, "p.yaml:3:8: the key 'lap' does not exist. Did you mean 'laptop'?"),
        (HEAD + "aliases: {outo: {}}" + TAIL, "the model 'outo' does not exist. Did you mean 'auto'?"),
        (HEAD + "claims: [{nevr: {}}]" + TAIL, "a claim has no key 'nevr'. Did you mean 'never'?"),
        (HEAD + "claims: [{reachable: b}]" + TAIL, "the rule 'b' does not exist"),
        (HEAD + "claims: [{never: {zone: clod}}]" + TAIL, "the zone 'clod' does not exist. Did you mean 'cloud'?"),
        (HEAD + "claims: [{never: {zone: cloud, target: big}}]" + TAIL, "needs exactly one of"),
        (HEAD + "expect: [{given: {tagz: [a]}, target: home}]" + TAIL, "has no key 'tagz'. Did you mean 'tags'?"),
        (HEAD + "expect: [{given: {}}]" + TAIL, "this row expects nothing"),
        (HEAD + "expect: [{refused: true, target: home}]" + TAIL, "a refused request has no target"),
        # Values and units.
        (rule("when: {prompt_tokens: {over: many}}"), "'many' is not a number; write it as 6000 or 32k."),
        (rule("when: {prompt_tokens: {over: 5 s}}"), "'5 s' has an unknown unit; write it as 6000 or 32k."),
        (rule("when: {queue_wait_seconds: {over: 5 parsecs}}"), "'5 parsecs' has an unknown unit; write it as 4 s,"),
        (rule("when: {gpu_utilization: {over: 90}}"), "90 is more than all of it; write 90 % or 0.9."),
        (rule("when: {gpu_utilization: {over: -1 %}}"), "'-1 %' can't be"),
        (rule("when: {spent: {of: day, over: 5 EUR}}"), "'5 EUR' is in a currency without a rate (known: USD)"),
        (rule("when: {spent: {over: 5}}"), "the fact 'spent' needs 'of', as in {spent: {of: day, over: 5 USD}}"),
        (rule("when: {time: {between: 25:00-06:00}}"), "'25:00' is not a time of day"),
        (rule("when: {time: {between: [1, 2]}}"), "is not a span of time; write it as 22:00-06:00"),
        (rule("when: {turns: {between: [5, 2]}}"), "the wrong way round"),
        (rule("when: {turns: {between: 5}}"), "'between' takes two values"),
        (rule("when: {stream: maybe}"), "'stream' is true or false, not 'maybe'"),
        (rule("when: {model: {matches: '(a'}}"), "is not a regular expression that RE2 knows"),
        (rule("when: {}"), "this condition is empty"),
        (rule("when: {any: []}"), "'any' is empty"),
        (rule("when: [a]"), "a condition must be a mapping"),
        (rule("when: {turns: {}}"), "what must 'turns' be?"),
        # Rules.
        (HEAD + "rules: [{prefer: [home]}]" + TAIL, "p.yaml:3:9: this rule has no 'name'"),
        (HEAD + "rules: [{name: a}]" + TAIL, "the rule 'a' does nothing"),
        (HEAD + "rules: [{name: a, prefer: [home]}, {name: a, prefer: [big]}]" + TAIL, "exists already (p.yaml:3:9)"),
        (HEAD + "rules: [{name: otherwise, prefer: [home]}]" + TAIL, "can't be a rule's name"),
        # Masking.
        (rule("mask: [person, secret.api_key]"), "p.yaml:4:46: 'secret.api_key' can't be masked: a secret that left"),
        (rule("mask: secret"), "'secret' can't be masked"),
        (rule("mask: [contact.mail]"), "the category 'contact.mail' does not exist. Did you mean 'contact.email'?"),
        (rule("mask: []"), "'mask' takes categories of findings, such as [contact.email, person]."),
        (rule("mask: [person]") + "expect: [{given: {}, masked: maybe}]", "'masked' is true or false"),
        (rule("race: [home, big]"), "'race' (asking several targets at once) is a reserved word and not yet there"),
        (rule("cascade: [home, big]"), "'cascade' (asking a second target"),
        (rule("refuse: 5"), "'refuse' takes the message for the caller, or true."),
        (rule("set: {temperature: 3}"), "temperatures go from 0 to 2"),
        (rule("set: {max_output_tokens: 0}"), "an answer needs at least one token"),
        (rule("set: {top_k: 3}"), "'set' has no key 'top_k'"),
        (rule("priority: urgent"), "'priority' is low, normal, high, or a whole number"),
        (rule("shadow: huge"), "the target 'huge' does not exist"),
        (HEAD + "rules:\n  - {name: a, when: {tags: x}, tag: y}\n  - {name: b, when: {stream: true}, tag: x}" + TAIL,
         "p.yaml:4:5: the rule 'a' tags or raises, and looks at the tag 'x', which the rule 'b' below it"),
        (HEAD + "rules:\n  - {name: a, when: {label: public}, tag: y}\n  - {name: b, tag: health}" + TAIL,
         "looks at the label, which the rule 'b' below it (p.yaml:5:5) changes. Put 'b' first."),
        # Named conditions and lists.
        (HEAD + "let: {a: {all: [b]}, b: {not: a}}" + TAIL, "the named conditions go in a circle: a → b → a"),
        (HEAD + "let: {stream: [a]}" + TAIL, "the name 'stream' would hide a fact of that name"),
        (HEAD + "let: {home: [a]}" + TAIL, "would hide a target"),
        (HEAD + "let: {health: [a]}" + TAIL, "would hide a tag"),
        # Rates.
        (HEAD + "rates: {EUR: 0}" + TAIL, "p.yaml:3:9: a rate is the US dollars"),
        (HEAD + "rates: {USD: 2}" + TAIL, "one US dollar is one US dollar"),
    ],
)  # fmt: skip
def test_problems_say_where_and_what_was_meant(text, expected):
    """Each mistake gives a sentence that names its place and what was probably meant."""
    found = problems(text)
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("p.yaml:") for problem in found)


def test_every_category_of_inspection_can_be_named():
    """A policy may name every category that inspection can find, and the users' own, whatever they are called."""
    names_ = sorted({*CATEGORIES, "custom.project-x", "network.ip"})
    policy_of(f"labels: {{findings: {{{', '.join(f'{name}: internal' for name in names_)}}}}}")
    assert {name.split(".")[0] for name in CATEGORIES} <= set(ROOTS)


def test_all_problems_come_at_once():
    """One run shows all problems of a file."""
    found = problems(HEAD + "rules:\n  - {name: a, prefer: [hom], when: {turn: 1}}\n  - {nam: b, only: [bigg]}" + TAIL)
    assert len(found) == 5


def test_units_and_shorthands():
    """Numbers may be written as people write them, with their units."""
    policy = policy_of(
        """
rates: {EUR: 1.25}
labels: {default: public}
rules:
  - {name: k, when: {prompt_tokens: {over: 6k}}, prefer: [home]}
  - {name: ms, when: {queue_wait_seconds: {on: home, over: 1500 ms}}, prefer: [home]}
  - {name: eur, when: {price: {on: big, over: 0.40 EUR}}, prefer: [home]}
  - {name: sign, when: {price: {on: big, over: $0.20}}, prefer: [home]}
  - {name: kwh, when: {electricity_price: {over: 20 EUR/kWh}}, prefer: [home]}
"""
    )

    def rule_for(**facts: object) -> str:
        return ask(policy, **facts).rule

    assert rule_for(prompt_tokens_estimate=6000) == "ms"  # nothing is known of the others
    home = {"home": TargetState(queue_wait_seconds=1.5)}
    quiet = {"prices": {"big": 0.1}, "electricity_price": 1.0, "targets": home, "prompt_tokens_estimate": 1}
    assert rule_for(**quiet) == "otherwise"
    assert rule_for(**{**quiet, "prompt_tokens_estimate": 6001}) == "k"
    assert rule_for(**{**quiet, "targets": {"home": TargetState(queue_wait_seconds=1.6)}}) == "ms"
    assert rule_for(**{**quiet, "prices": {"big": 0.51}}) == "eur"
    assert rule_for(**{**quiet, "prices": {"big": 0.5}}) == "sign"
    assert rule_for(**{**quiet, "electricity_price": 25.1}) == "kwh"


def test_include_brings_rules_below_and_is_overruled():
    """The including file's rules come first, and its `otherwise` and labels win; claims of both count."""
    others = {
        "house": HEAD + "rules: [{name: theirs, prefer: [big, home]}]\nclaims: [{reachable: theirs}]"
        "\nexpect: [{given: {}, target: big}]" + TAIL
    }
    text = (
        "version: 1\ninclude: [house.yaml]\nlabels: {default: public, tags: {health: internal}}\n"
        "rules: [{name: mine, when: {stream: true}, prefer: [trusted]}]\notherwise: {prefer: [workstation]}"
    )
    policy = load_policy([("p.yaml", text)], HOUSE, read=_reader(others))
    assert [rule.name for rule in policy.rules] == ["mine", "theirs"]
    assert (policy.labels.default, policy.labels.tags["health"]) == (Label.PUBLIC, Label.INTERNAL)
    assert policy.document.otherwise[-1].prefer == ("workstation",)
    assert [claim.rule for claim in policy.document.claims] == ["theirs"]
    assert policy.document.expectations == ()
    assert names(ask(policy)) == ["big", "home"]


def test_includes_in_a_circle_or_missing_are_refused():
    """Files that include each other in a circle are refused with the way around; so is a missing one."""
    circle = {"b": "version: 1\ninclude: [c.yaml]\n", "c": "version: 1\ninclude: [b.yaml]\n"}
    expected = "c.yaml:2:11: the files include each other in a circle: b.yaml → c.yaml → b.yaml."
    assert problems("version: 1\ninclude: b.yaml" + TAIL, **circle) == [expected]
    assert "nowhere.yaml: can't be read" in problems("version: 1\ninclude: [nowhere.yaml]" + TAIL)[0]


def test_one_file_included_twice_counts_once():
    """A file that two others include counts once."""
    others = {
        "b": "version: 1\ninclude: d.yaml\n", "c": "version: 1\ninclude: d.yaml\n",
        "d": HEAD + "rules: [{name: shared, prefer: [home]}]\n",
    }  # fmt: skip
    policy = load_policy([("p.yaml", "version: 1\ninclude: [b.yaml, c.yaml]" + TAIL)], HOUSE, read=_reader(others))
    assert [rule.name for rule in policy.rules] == ["shared"]


def test_the_digest_names_the_text():
    """The digest is the same for the same text, whatever the file is called, and another one after one more blank."""
    first = load_policy([("a.yaml", SHAPE)], SMALL_HOUSE)
    assert load_policy([("b.yaml", SHAPE)], SMALL_HOUSE).digest == first.digest
    assert load_policy([("a.yaml", SHAPE + " ")], SMALL_HOUSE).digest != first.digest


@settings(deadline=None, max_examples=200)
@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 10**7), st.text(max_size=8),
              st.sampled_from(["home", "cloud", "health", "all", "9 %", "22:00-06:00"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(
        ["version", "rules", "labels", "tags", "otherwise", "prefer", "when", "all", "any", "not", "name", "only",
         "let", "claims", "expect", "given", "never", "findings", "count", "category", "keys", "set", "include",
         "prompt_tokens", "over", "in", "is", "between", "matches", "price", "on", "time", "header", "refuse", "tag"]
    ), inner, max_size=5)),
    max_leaves=25,
))  # fmt: skip
def test_nonsense_is_refused_in_sentences(value):
    """Any text either loads or gives ConfigurationError, and never another exception."""
    fields = value if isinstance(value, dict) else {"let": value}
    text = json.dumps({"version": 1, "otherwise": {"prefer": ["home"]}, **fields})
    said: tuple[str, ...] = ()
    try:
        load_policy([("p.yaml", text)], HOUSE)
    except ConfigurationError as error:
        said = error.problems or ("nothing said",)
    assert all(problem.startswith("p.yaml:") for problem in said)
