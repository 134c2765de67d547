"""Where requests may go: labels, ceilings, preferences, refusals."""

import pytest

from gateway.core.errors import BadRequest, ContextLengthExceeded, NotFound, PolicyRefused, Unavailable
from gateway.core.labels import Label
from gateway.core.request import (
    Dialect,
    EmbeddingsRequest,
    Media,
    ModerationRequest,
    RerankRequest,
    ResponseFormat,
    Sampling,
)
from gateway.core.snapshot import Gpu
from gateway.core.target import Alias, TargetState
from gateway.policy import decide, refusal_error
from tests.policy.house import (
    BIG,
    HOME,
    HOUSE,
    SMALL_HOUSE,
    TRUSTED,
    ask,
    catalog_of,
    chat,
    evidence_for,
    found,
    inbound,
    names,
    policy_of,
    why,
)

LONG = {"prompt_tokens_estimate": 7000}


@pytest.mark.parametrize(
    ("tags", "seen", "label", "source"),
    [
        ((), found(), Label.INTERNAL, "default"),
        (("public",), found(), Label.PUBLIC, "tag"),
        (("health",), found(), Label.SENSITIVE, "tag"),
        (("public", "health"), found(), Label.SENSITIVE, "tag"),
        (("unheard-of",), found(), Label.SENSITIVE, "unknown_tag"),
        ((), found("contact.email"), Label.SENSITIVE, "detector"),
        (("public",), found("contact.email"), Label.SENSITIVE, "detector"),
        (("public",), found("something.new"), Label.SENSITIVE, "detector"),
        (("public",), found(doubts=("image",)), Label.SENSITIVE, "detector"),
        (("public",), found(tainted=True), Label.SENSITIVE, "taint"),
        (("health",), found("id.national", tainted=True), Label.SENSITIVE, "tag"),
    ],
)
def test_the_label_joins_everything_seen(shape, tags, seen, label, source):
    """Tags raise; findings, doubts and taint raise; only a mapped tag on clean text may go below the default."""
    decision = ask(shape, tags=tags, seen=seen)
    assert (decision.label, decision.label_source) == (label, source)


def test_a_finding_below_the_default_does_not_let_a_public_tag_lower():
    """`public` speaks for text in which nothing was found; a finding mapped to `internal` keeps it internal."""
    policy = policy_of("labels: {tags: {public: public}, findings: {person: internal, network: public}}")
    assert ask(policy, tags=("public",), seen=found("person.name")).label is Label.INTERNAL
    assert ask(policy, tags=("public",), seen=found("network.ip")).label is Label.PUBLIC
    assert ask(policy, seen=found("network.ip")).label is Label.INTERNAL


def test_the_nearest_category_decides():
    """`id.plate` before `id`; what is not named counts as `other`."""
    policy = policy_of("labels: {default: public, findings: {id: sensitive, id.plate: internal, other: internal}}")
    labels = [ask(policy, seen=found(category)).label for category in ("id.plate", "id.national", "id", "legal.case")]
    assert labels == [Label.INTERNAL, Label.SENSITIVE, Label.SENSITIVE, Label.INTERNAL]


@pytest.mark.parametrize(
    ("tags", "seen", "snapshot", "targets", "rule", "reason"),
    [
        (("public",), found(), LONG, ["big", "home"], "long prompts go out", "rule"),
        ((), found(), LONG, ["home"], "long prompts go out", "only_permitted"),
        (("health",), found(), LONG, ["home"], "long prompts go out", "only_permitted"),
        (("public",), found("financial.iban"), LONG, ["home"], "long prompts go out", "only_permitted"),
        (("public",), found(), {"prompt_tokens_estimate": 10}, ["home", "big"], "otherwise", "otherwise"),
        (("public",), found(), {"gpu": Gpu(utilization=0.95)}, ["big", "home"], "the GPU is busy", "rule"),
        (("public",), found(), {"gpu": Gpu(utilization=0.9)}, ["home", "big"], "otherwise", "otherwise"),
        (("public",), found(), {}, ["home", "big"], "otherwise", "otherwise"),
        (
            ("public",), found(), {"targets": {"home": TargetState(queue_wait_seconds=5)}},
            ["big", "home"], "the GPU is busy", "rule",
        ),
    ],
)  # fmt: skip
def test_the_first_matching_rule_gives_the_order(shape, tags, seen, snapshot, targets, rule, reason):
    """Preferences apply to what the label permits; unknown facts do not open the way out."""
    decision = ask(shape, tags=tags, seen=seen, **snapshot)
    assert (names(decision), decision.rule, decision.reason) == (targets, rule, reason)
    assert decision.refusal is None


def test_exact_counts_decide_over_the_window():
    """The count of the target itself comes before the estimate."""
    policy = policy_of("otherwise: {prefer: [home]}")
    assert names(ask(policy, prompt_tokens={"home": 8191}, prompt_tokens_estimate=9999)) == ["home"]
    assert why(ask(policy, prompt_tokens={"home": 8192}, prompt_tokens_estimate=10))["home"] == "context"


@pytest.mark.parametrize(
    ("limit", "prompt", "targets"),
    [
        (1000, 7192, ["home", "big"]),
        (1000, 7193, ["big"]),  # home has no room for the whole answer, big has
        (32_000, 4096, ["home", "big"]),  # half of a window is room enough for a limit that no window has
        (32_000, 4097, ["big"]),
    ],
)
def test_the_answer_needs_room_in_the_window(limit, prompt, targets):
    """A target whose window has no room for the answer's limit, or half of the window, gives way to one that has."""
    policy = policy_of("labels: {tags: {public: public}}\notherwise: {prefer: [home, big]}")
    request = chat(sampling=Sampling(max_tokens=limit))
    assert names(ask(policy, request=request, tags=("public",), prompt_tokens_estimate=prompt)) == targets


@pytest.mark.parametrize(("prompt", "refused"), [(5000, False), (8191, False), (8192, True)])
def test_an_answer_may_end_with_the_window(prompt, refused):
    """Where no other target has room, a huge `max_tokens` is no obstacle: the answer ends where the window does."""
    policy = policy_of("otherwise: {prefer: [home]}")
    decision = ask(policy, request=chat(sampling=Sampling(max_tokens=32_000)), prompt_tokens_estimate=prompt)
    assert names(decision) == ([] if refused else ["home"])
    assert (decision.refusal is not None) is refused


def test_a_cap_makes_room():
    """A client that asks for a huge answer fits a small window once the policy caps it: what is sent asks for less."""
    greedy = chat(sampling=Sampling(max_tokens=32_000))
    plain = policy_of("labels: {tags: {public: public}}\notherwise: {prefer: [home, big]}")
    capped = policy_of(
        "labels: {tags: {public: public}}\nrules: [{name: c, set: {max_output_tokens: 1k}}]\n"
        "otherwise: {prefer: [home, big]}"
    )
    asked = {"request": greedy, "tags": ("public",)}
    assert names(ask(plain, **asked, prompt_tokens_estimate=7000)) == ["big"]
    assert names(ask(capped, **asked, prompt_tokens_estimate=7000)) == ["home", "big"]
    assert names(ask(capped, **asked, prompt_tokens_estimate=7193)) == ["big"]


def test_a_list_of_texts_to_embed_is_not_one_prompt():
    """Each text of an embeddings request has the window for itself."""
    policy = policy_of("otherwise: {prefer: [home]}")
    texts = EmbeddingsRequest(dialect="openai", model="auto", document={}, inputs=("a", "b"))
    one = EmbeddingsRequest(dialect="openai", model="auto", document={}, inputs=("a",))
    assert names(ask(policy, request=texts, prompt_tokens_estimate=9000)) == ["home"]
    assert ask(policy, request=one, prompt_tokens_estimate=9000).refusal.code == "context_length_exceeded"


def test_ill_targets_come_last_and_broken_ones_not_at_all():
    """A target that looks ill is tried when all others failed; one whose breaker is open is left alone."""
    policy = policy_of("labels: {tags: {public: public}}\notherwise: {prefer: [home, big]}")
    ill = {"home": TargetState(healthy=False), "big": TargetState()}
    assert names(ask(policy, tags=("public",), targets=ill)) == ["big", "home"]
    assert names(ask(policy, targets=ill)) == ["home"]
    broken = {"home": TargetState(healthy=False, open_until=12.0), "big": TargetState()}
    decision = ask(policy, tags=("public",), targets=broken)
    assert (names(decision), why(decision)) == (["big"], {"home": "breaker"})


def test_with_a_rules_targets_ruled_out_otherwise_is_used(shape):
    """A rule that only names the cloud does not leave a sensitive request without an answer."""
    policy = policy_of("labels: {tags: {health: sensitive}}\nrules: [{name: out, prefer: [big]}]")
    decision = ask(policy, tags=("health",))
    assert (names(decision), decision.rule, why(decision)) == (["home"], "otherwise", {"big": "label"})


@pytest.mark.parametrize(
    ("text", "request_fields", "snapshot", "error", "code", "status"),
    [
        ("otherwise: {prefer: [big]}", {}, {}, PolicyRefused, "policy_refused", 403),
        ("rules: [{name: no, refuse: Not here.}]", {}, {}, PolicyRefused, "policy_refused", 403),
        ("", {}, {"prompt_tokens_estimate": 9000}, ContextLengthExceeded, "context_length_exceeded", 400),
        ("", {"media": frozenset({Media.IMAGE})}, {}, BadRequest, "not_supported", 400),
        ("", {}, {"targets": {"home": TargetState(open_until=3.0)}}, Unavailable, "unavailable", 503),
        (
            "", {}, {"targets": {"home": TargetState(open_until=3.0, load_seconds=40.0)}, "prompt_tokens_estimate": 5},
            Unavailable, "unavailable", 503,
        ),
    ],
)  # fmt: skip
def test_refusals_say_what_would_help(text, request_fields, snapshot, error, code, status):
    """A refusal is 403 where nothing helps, 400 where another request would, and 503 where waiting does."""
    decision = ask(policy_of(text), request=chat(**request_fields), **snapshot)
    assert decision.candidates == ()
    raised = refusal_error(decision)
    assert isinstance(raised, error)
    assert (raised.code, raised.status) == (code, status)
    assert (raised.retry_after is not None) == (status == 503)
    assert decision.reason == "refused"


def test_waiting_time_comes_from_the_loading_model():
    """A client is told to come back when the model will be there."""
    decision = ask(policy_of(""), targets={"home": TargetState(open_until=3.0, load_seconds=40.0)})
    assert refusal_error(decision).retry_after == 40.0


@pytest.mark.parametrize(
    ("home", "big", "seconds"),
    [
        ({"retry_in": 30.0}, None, 30.0),
        ({"retry_in": 0.2}, None, 1.0),
        ({"retry_in": 20.0, "load_seconds": 40.0}, None, 60.0),
        ({"retry_in": 30.0}, {"retry_in": 12.0}, 12.0),
        ({}, {"retry_in": 12.0}, 12.0),
        ({}, None, 5.0),
    ],
)
def test_waiting_time_is_that_of_the_target_that_is_tried_first(home, big, seconds):
    """A client is told to come back when the first target that may answer is asked again and has its model."""
    states = {"home": TargetState(open_until=3.0, **home)}
    if big is not None:
        states["big"] = TargetState(open_until=3.0, **big)
    text = "otherwise: {prefer: [home, big]}" if big is not None else "otherwise: {prefer: [home]}"
    decision = ask(policy_of("labels: {default: public}\n" + text), targets=states)
    assert decision.candidates == ()
    assert refusal_error(decision).retry_after == seconds


def test_an_unknown_model_is_not_found():
    """With `unknown_model: null`, a name that nobody configured is 404; the label is still there for the receipt."""
    catalog = catalog_of(HOME, BIG, unknown_model=None)
    decision = ask(policy_of("", catalog), request=chat(model="gpt-9"), seen=found("secret.token"))
    raised = refusal_error(decision)
    assert isinstance(raised, NotFound)
    assert (raised.code, raised.status, decision.rule) == ("model_not_found", 404, "-")
    assert (decision.alias, decision.label) == ("other", Label.SENSITIVE)


def test_an_alias_narrows_and_never_widens():
    """The model name asked for leaves over its own targets, and only those that the label permits."""
    catalog = catalog_of(HOME, BIG, aliases={"auto": Alias(name="auto"), "out": Alias(name="out", targets=("big",))})
    policy = policy_of("labels: {tags: {public: public}}", catalog)
    assert names(ask(policy, request=chat("out"), tags=("public",))) == ["big"]
    assert ask(policy, request=chat("out")).refusal.code == "policy_refused"


def test_restrictions_of_all_matching_rules_add_up():
    """Two `only` leave what both name; the strictest cap counts; a refusal ends it whichever rule chose."""
    policy = policy_of(
        """
labels: {default: public, tags: {a: public}}
rules:
  - {name: order, prefer: [big, trusted, workstation, home]}
  - {name: one, when: {stream: false}, only: [big, trusted, home], set: {max_output_tokens: 500}}
  - {name: two, only: [local, trusted], set: {max_output_tokens: 2k, temperature: 0.2}}
  - {name: three, when: {tags: a}, refuse: Not today.}
""",
        HOUSE,
    )
    decision = ask(policy)
    assert names(decision) == ["trusted", "home"]
    assert why(decision) == {"big": "only", "workstation": "only"}
    assert (decision.overrides.max_output_tokens, decision.overrides.temperature) == (500, 0.2)
    assert decision.restrictions == ("one", "two")
    refused = ask(policy, tags=("a",))
    assert (refused.rule, refused.refusal.message) == ("three", "Not today.")


def test_tags_and_raises_feed_the_rules_below():
    """A rule that tags is seen by the next one, and by restrictions wherever they stand."""
    policy = policy_of(
        """
labels: {default: public, tags: {medical: sensitive}}
tags: [noted]
rules:
  - {name: keep, when: {label: sensitive}, only: [home]}
  - {name: spot, when: {header: {name: x-app, is: surgery}}, tag: [medical, noted]}
  - {name: lift, when: {tags: noted, stream: true}, raise: internal}
""",
        HOUSE,
    )
    decision = ask(policy)
    assert (decision.label, decision.label_source, names(decision)[0]) == (Label.PUBLIC, "default", "home")
    decision = decide(evidence_for(inbound(headers={"x-app": "surgery"})), policy)
    assert (decision.label, decision.label_source) == (Label.SENSITIVE, "rule")
    assert (decision.tags, names(decision)) == ({"medical", "noted"}, ["home"])
    assert decision.restrictions == ("keep", "spot")


def test_unknown_facts_restrict_and_do_not_permit():
    """Without a GPU a rule that keeps at home on a cool card matches, and one that sends out on a hot one does not."""
    policy = policy_of(
        """
labels: {default: public}
rules:
  - {name: hot goes out, when: {gpu_temperature: {over: 80 °C}}, prefer: [big]}
  - {name: not hot goes out, when: {not: {gpu_temperature: {over: 80 °C}}}, prefer: [big, home]}
  - {name: cool stays, when: {gpu_temperature: {under: 60 °C}}, prefer: [home]}
"""
    )
    assert (ask(policy).rule, names(ask(policy))) == ("cool stays", ["home"])
    assert ask(policy, gpu=Gpu(temperature=85)).rule == "hot goes out"
    assert ask(policy, gpu=Gpu(temperature=50)).rule == "not hot goes out"


def test_capabilities_and_endpoints():
    """A target is not asked for what it can't do or does not serve."""
    policy = policy_of(
        "labels: {default: public}\notherwise: {prefer: [home, big, trusted]}", catalog_of(HOME, BIG, TRUSTED)
    )
    image = chat(media=frozenset({Media.IMAGE}))
    assert why(ask(policy, request=image, seen=found())) == {"home": "capability"}
    schema = chat(response_format=ResponseFormat(kind="json_schema"), tools=({},))
    assert names(ask(policy, request=schema)) == ["home", "big", "trusted"]
    texts = EmbeddingsRequest(dialect="openai", model="auto", document={}, inputs=("a",))
    assert why(ask(policy, request=texts)) == {"trusted": "endpoint"}


def test_accepted_doubts_are_an_administrators_choice():
    """`labels.doubts` may say that an unreadable image is not sensitive; a failed detector always is."""
    policy = policy_of("labels: {default: public, doubts: {image: internal}}", SMALL_HOUSE)
    assert ask(policy, seen=found(doubts=("image",))).label is Label.INTERNAL
    assert ask(policy, seen=found(doubts=("image", "time"))).label is Label.SENSITIVE


def test_a_keys_own_default_and_rules_come_first():
    """The child's tablet has its own default, rules and order, which stand before the general ones."""
    policy = policy_of(
        """
labels: {default: public}
keys:
  kids-tablet:
    default: internal
    rules: [{name: short for children, set: {max_output_tokens: 300, system_prefix: Answer for a child.}}]
    otherwise: {prefer: [workstation]}
aliases:
  trusted: {otherwise: {prefer: [trusted]}}
rules: [{name: long, when: {prompt_tokens: {over: 1k}}, prefer: [cloud]}]
otherwise: {prefer: [home, big]}
""",
        HOUSE,
    )
    child = ask(policy, key="kids-tablet")
    assert (child.label, names(child), child.overrides.max_output_tokens) == (Label.INTERNAL, ["workstation"], 300)
    assert names(ask(policy)) == ["home", "big"]
    assert names(ask(policy, request=chat("trusted"))) == ["trusted"]
    assert names(ask(policy, key="kids-tablet", prompt_tokens_estimate=2000)) == ["trusted"]


@pytest.mark.parametrize("kind", [ModerationRequest, RerankRequest])
def test_what_is_done_at_home_alone_has_no_road_into_a_cloud(kind):
    """However public a text is, no cloud moderates or ranks it, whatever its endpoints and the rules say."""
    policy = policy_of("labels: {default: public}\nrules: [{name: out, prefer: [big, home]}]", SMALL_HOUSE)
    fields = {"messages": ()} if kind is ModerationRequest else {"query": "q", "texts": ("t",)}
    request = kind(dialect=Dialect.OPENAI, model="auto", document=chat().document, **fields)
    assert names(decide(evidence_for(inbound(request)), policy)) == ["home"]
    assert why(decide(evidence_for(inbound(request)), policy))["big"] == "endpoint"
