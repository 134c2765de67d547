"""The exposition: what is in it, what it counts, and that nobody's words get into a label."""

import shutil
import subprocess
import threading
from typing import get_args

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.events import BudgetDenied, Event, FellBack, ViolationStopped
from gateway.core.labels import Label, Zone
from gateway.core.record import Outcome
from gateway.core.target import TargetState
from gateway.core.usage import Usage
from gateway.observe import Metrics, World
from gateway.observe.metrics.exposition import MAX_SERIES, Counter, Histogram
from tests.observe.conftest import KNOWN, WORLD, began, decided, make_receipt, make_settlement, settled

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]

# The table of metrics, as agreed with whoever builds dashboards on it.
TABLE = {
    "aduana_requests_total": {"zone", "model", "dialect", "outcome"},
    "aduana_routing_decisions_total": {"zone", "rule", "reason"},
    "aduana_fallbacks_total": {"source", "target", "reason"},
    "aduana_request_duration_seconds": {"zone", "model", "le"},
    "aduana_time_to_first_token_seconds": {"zone", "model", "le"},
    "aduana_inter_token_latency_seconds": {"zone", "model", "le"},
    "aduana_overhead_seconds": {"stage", "le"},
    "aduana_queue_wait_seconds": {"model", "le"},
    "aduana_tokens_total": {"zone", "model", "type"},
    "aduana_cloud_cost_usd_total": {"provider", "model"},
    "aduana_avoided_cloud_cost_usd_total": {"model", "reference_model"},
    "aduana_kv_cache_used_ratio": {"model"},
    "aduana_energy_joules_total": {"device", "state", "source"},
    "aduana_electricity_cost_usd_total": {"state"},
    "aduana_hardware_amortization_usd_total": set(),
    "aduana_electricity_price_usd_per_kwh": set(),
    "aduana_gpu_power_watts": {"gpu"},
    "aduana_gpu_utilization_ratio": {"gpu"},
    "aduana_gpu_memory_used_bytes": {"gpu"},
    "aduana_gpu_memory_total_bytes": {"gpu"},
    "aduana_gpu_temperature_celsius": {"gpu"},
    "aduana_requests_in_flight": {"target"},
    "aduana_queue_depth": {"target"},
    "aduana_slots_busy": {"target"},
    "aduana_slots": {"target"},
    "aduana_server_up": {"target", "server"},
    "aduana_server_requests": {"target", "server"},
    "aduana_server_requests_waiting": {"target", "server"},
    "aduana_server_requests_total": {"target", "server", "outcome"},
    "aduana_prefix_cache_hit_tokens_total": {"model"},
    "aduana_privacy_labels_total": {"label", "source"},
    "aduana_privacy_findings_total": {"category"},
    "aduana_privacy_actions_total": {"action"},
    "aduana_privacy_violations_total": set(),
    "aduana_budget_limit_usd": {"budget", "period"},
    "aduana_budget_spent_usd": {"budget", "period"},
    "aduana_budget_denials_total": {"budget"},
    "aduana_limit_refusals_total": {"scope", "limit"},
    "aduana_unpriced_requests_total": {"model"},
    "aduana_unknown_tags_total": set(),
    "aduana_target_up": {"target"},
    "aduana_breaker_open": {"target"},
    "aduana_model_loads_total": {"model", "outcome"},
    "aduana_attachment_read_seconds": {"kind", "outcome", "le"},
    "aduana_model_failed": {"target"},
    "aduana_model_loaded": {"target"},
    "aduana_model_load_progress_ratio": {"target"},
    "aduana_model_memory_bytes": {"target"},
    "aduana_model_load_seconds": {"model", "outcome", "le"},
    "aduana_model_wait_seconds": {"model", "le"},
    "aduana_worker_restarts_total": {"model", "cause"},
    "aduana_policy_reloads_total": {"outcome"},
    "aduana_candidate_decisions_total": {"change"},
    "aduana_shadow_similarity_ratio": {"target", "shadow", "le"},
    "aduana_policy_info": {"digest"},
    "aduana_price_data_timestamp_seconds": set(),
    "aduana_build_info": {"version"},
    "aduana_ledger_up": set(),
}


def samples(metrics: Metrics) -> Samples:
    """Every sample by name and labels, as Prometheus's own format reads."""
    found: Samples = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} stands twice"
            found[key] = sample.value
    return found


def get(found: Samples, name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


def test_no_kind_of_event_is_left_out(metrics: Metrics) -> None:
    """Every event that the pipeline can tell of is counted, so that a new one is not lost in silence."""
    assert set(metrics.hears) == set(get_args(Event))


def test_every_metric_of_the_table_is_there_with_its_labels_from_the_start(metrics: Metrics) -> None:
    """Every metric is exposed before the first request: `increase()` misses a counter that is born at 1."""
    seen: dict[str, set[str]] = {}
    for (name, labels), _ in samples(metrics).items():
        plain = name.removesuffix("_bucket")
        if name.startswith("aduana_") and not name.endswith(("_sum", "_count")):
            seen.setdefault(plain, set()).update(label for label, _ in labels)
    assert seen == TABLE


def test_a_request_is_counted_from_decision_to_settlement(metrics: Metrics) -> None:
    """A local answer: decision, label, latency, tokens by disjoint type, what it would have cost."""
    metrics.on(decided())
    metrics.on(began())
    assert get(samples(metrics), "aduana_requests_in_flight", target="home") == 1
    metrics.on(settled(gaps=(0.01, 0.02, 0.5)))
    found = samples(metrics)
    where = {"zone": "local", "model": "qwen3-32b"}
    assert get(found, "aduana_requests_total", **where, dialect="openai", outcome="ok") == 1
    decision = {"zone": "local", "rule": "otherwise", "reason": "otherwise"}
    assert get(found, "aduana_routing_decisions_total", **decision) == 1
    assert [
        get(found, "aduana_tokens_total", **where, type=kind)
        for kind in ("input", "input_cached", "output", "reasoning")
    ] == [10, 4, 5, 2]
    money = {"model": "qwen3-32b", "reference_model": "gpt-4.1-mini"}
    assert get(found, "aduana_avoided_cloud_cost_usd_total", **money) == 0.00012
    assert get(found, "aduana_inter_token_latency_seconds_count", **where) == 3
    assert get(found, "aduana_inter_token_latency_seconds_bucket", **where, le="0.02") == 2
    assert get(found, "aduana_time_to_first_token_seconds_bucket", **where, le="0.2") == 1
    assert get(found, "aduana_request_duration_seconds_sum", **where) == 0.9
    assert get(found, "aduana_privacy_labels_total", label="internal", source="default") == 1
    assert get(found, "aduana_privacy_findings_total", category="contact.email") == 2
    assert get(found, "aduana_queue_wait_seconds_count", model="qwen3-32b") == 1
    assert get(found, "aduana_overhead_seconds_count", stage="receipt") == 1
    assert get(found, "aduana_requests_in_flight", target="home") == 0
    assert get(found, "aduana_prefix_cache_hit_tokens_total", model="qwen3-32b") == 4


def test_a_fallback_moves_the_request_to_the_next_target(metrics: Metrics) -> None:
    """In flight follows the target that is being tried; the cloud answer costs money."""
    metrics.on(decided())
    metrics.on(began())
    metrics.on(FellBack(source="home", target="big", reason="target_unavailable"))
    metrics.on(began(zone=Zone.CLOUD))
    found = samples(metrics)
    assert get(found, "aduana_fallbacks_total", source="home", target="big", reason="target_unavailable") == 1
    assert get(found, "aduana_requests_in_flight", target="home") == 0
    assert get(found, "aduana_requests_in_flight", target="big") == 1
    attempts = (("home", "target_unavailable"),)
    metrics.on(
        settled(
            settlement=make_settlement(
                target="big", zone=Zone.CLOUD, cost_micros=2_500_000, avoided_micros=None, attempts=attempts
            )
        )
    )
    found = samples(metrics)
    assert get(found, "aduana_cloud_cost_usd_total", provider="openai", model="gpt-5.4") == 2.5
    assert get(found, "aduana_requests_in_flight", target="big") == 0
    assert get(found, "aduana_unpriced_requests_total", model="gpt-5.4") == 0


@pytest.mark.parametrize(
    "events",
    [
        [settled()],
        [decided(), settled()],
        [decided(), FellBack(source="home", target="big", reason="budget_spent"), settled()],
        [began(), began(zone=Zone.CLOUD), began(), settled()],
        [began(), settled(make_receipt("r1", permitted=("big", "home")))],
        [began("r1-shadow"), settled(make_receipt("r1-shadow", shadow=True))],
    ],
    ids=["gone before the decision was told", "never asked", "budget spent between", "tries", "another one", "shadow"],
)
def test_what_is_in_flight_returns_to_zero_however_a_request_ends(metrics: Metrics, events: list[Event]) -> None:
    """Each beginning has one end, and what never began takes nothing away."""
    for event in events:
        metrics.on(event)
        found = samples(metrics)
        assert min(get(found, "aduana_requests_in_flight", target=name) for name in ("home", "big")) >= 0
    assert {get(found, "aduana_requests_in_flight", target=name) for name in ("home", "big")} == {0}


def test_a_shadow_costs_but_saves_nothing_and_is_no_request(metrics: Metrics) -> None:
    """It was asked for comparison only: its tokens and its price are real, its answer avoided no cloud."""
    shadow = make_receipt("r1-shadow", shadow=True, permitted=("big",))
    cost = make_settlement("r1-shadow", target="big", zone=Zone.CLOUD, cost_micros=500_000, avoided_micros=None)
    metrics.on(settled(shadow, cost))
    metrics.on(settled(make_receipt("r2-shadow", shadow=True), make_settlement("r2-shadow", avoided_micros=10**6)))
    found = samples(metrics)
    families = metrics.families
    assert (families.cost.total(), families.avoided.total(), families.requests.total()) == (0.5, 0, 0)
    assert get(found, "aduana_tokens_total", zone="cloud", model="gpt-5.4", type="output") == 5
    assert {get(found, "aduana_requests_in_flight", target=name) for name in ("home", "big")} == {0}


def test_a_request_that_every_target_failed_leaves_nothing_in_flight(metrics: Metrics) -> None:
    """A request that every target failed ends as an error in no zone, and is in flight nowhere."""
    metrics.on(decided())
    metrics.on(began())
    metrics.on(FellBack(source="home", target="big", reason="target_unavailable"))
    metrics.on(began(zone=Zone.CLOUD))
    attempts = (("home", "target_unavailable"), ("big", "target_timeout"))
    metrics.on(
        settled(
            settlement=make_settlement(
                outcome=Outcome.ERROR, target=None, zone=None, usage=Usage(), avoided_micros=None, attempts=attempts
            )
        )
    )
    found = samples(metrics)
    assert get(found, "aduana_requests_total", zone="none", model="none", dialect="openai", outcome="error") == 1
    assert {get(found, "aduana_requests_in_flight", target=name) for name in ("home", "big")} == {0}


def test_what_has_no_price_is_counted_and_not_taken_for_free() -> None:
    """Both ways: a cloud target without a price, and a reference model without one."""
    metrics = Metrics(msgspec.structs.replace(KNOWN, unpriced=frozenset({"big"})))
    metrics.on(settled(settlement=make_settlement(target="big", zone=Zone.CLOUD, avoided_micros=None)))
    metrics.on(settled(settlement=make_settlement(avoided_micros=None)))
    found = samples(metrics)
    assert get(found, "aduana_unpriced_requests_total", model="gpt-5.4") == 1
    assert get(found, "aduana_unpriced_requests_total", model="qwen3-32b") == 1
    assert get(found, "aduana_cloud_cost_usd_total", provider="openai", model="gpt-5.4") == 0


def test_sensitive_requests_show_what_was_done_about_them(metrics: Metrics) -> None:
    """A sensitive request counts as kept local or refused; a violation that was stopped has its own counter."""
    kept = make_receipt(label=Label.SENSITIVE, label_source="detector", permitted=("home",))
    metrics.on(decided(kept))
    metrics.on(settled(kept))
    refused = make_receipt(label=Label.SENSITIVE, label_source="tag", permitted=(), refusal="policy_refused", rule="-")
    metrics.on(decided(refused, first_zone=None, reason="refused"))
    metrics.on(settled(refused, make_settlement(outcome=Outcome.REFUSED, target=None, zone=None, avoided_micros=None)))
    masked = make_receipt("m", masked=(("contact.email", 2),))
    metrics.on(settled(masked, make_settlement("m", target="big", zone=Zone.CLOUD)))
    metrics.on(settled(masked, make_settlement("m")))  # answered at home after all
    metrics.on(ViolationStopped(request_id="r", target="big"))
    found = samples(metrics)
    assert get(found, "aduana_privacy_actions_total", action="masked") == 1
    assert get(found, "aduana_privacy_actions_total", action="kept_local") == 1
    assert get(found, "aduana_privacy_actions_total", action="refused") == 1
    assert get(found, "aduana_privacy_violations_total") == 1
    assert get(found, "aduana_requests_total", zone="none", model="none", dialect="openai", outcome="refused") == 1


def test_what_a_budget_kept_out_is_counted_for_it() -> None:
    """Answered elsewhere or refused, at the decision or when another request took the money; nothing else counts."""
    metrics = Metrics(msgspec.structs.replace(KNOWN, budgets=("day", "month", "key:laptop")))
    refused = make_receipt(permitted=(), refusal="budget_spent", budget="day")
    metrics.on(decided(refused, first_zone=None, reason="refused"))
    metrics.on(decided(make_receipt("r2", budget="key:laptop")))
    metrics.on(decided(make_receipt("r3")))
    metrics.on(decided(make_receipt("r4", permitted=(), refusal="policy_refused"), first_zone=None, reason="refused"))
    metrics.on(BudgetDenied(request_id="r5", budget="day"))
    found = samples(metrics)
    denials = {key[1][0][1]: value for key, value in found.items() if key[0] == "aduana_budget_denials_total"}
    assert denials == {"day": 2, "month": 0, "key:laptop": 1}


def test_gauges_are_asked_for_and_unknown_values_are_left_out(metrics: Metrics) -> None:
    """A cloud target has no slots: no sample, rather than a 0 that is not true."""
    found = samples(metrics)
    assert get(found, "aduana_slots_busy", target="home") == 3
    assert ("aduana_slots_busy", (("target", "big"),)) not in found
    assert get(found, "aduana_breaker_open", target="big") == 1
    assert get(found, "aduana_breaker_open", target="home") == 0
    assert get(found, "aduana_budget_limit_usd", budget="day", period="day") == 1
    assert ("aduana_budget_limit_usd", (("budget", "month"), ("period", "month"))) not in found
    assert get(found, "aduana_budget_spent_usd", budget="key:laptop", period="month") == 1
    assert get(found, "aduana_gpu_memory_total_bytes", gpu="gpu0") == 24 * 2**30
    assert get(found, "aduana_energy_joules_total", device="gpu0", state="request", source="counter") == 5000.5


def test_a_target_that_refuses_the_key_counts_as_down() -> None:
    """A target whose key is refused is not up, also in the moment in which it is tried again."""
    states = {"home": TargetState(), "big": TargetState(problem="It does not accept this gateway's key.")}
    world = msgspec.structs.replace(WORLD, states=lambda: states)
    found = samples(Metrics(KNOWN, world, monotonic=lambda: 10.0))
    assert get(found, "aduana_target_up", target="home") == 1
    assert get(found, "aduana_target_up", target="big") == 0


CANARY = 'CANARY-sk-3f9a\n"} 1'


def test_no_word_of_a_client_gets_into_a_metric(metrics: Metrics) -> None:
    """Whatever an event carries in its free fields, labels stay words of the configuration."""
    receipt = make_receipt(
        key=CANARY,
        user=CANARY,
        model=CANARY,
        tags=(CANARY,),
        rule=CANARY,
        categories=((CANARY, 1),),
        refusal=None,
        doubts=(CANARY,),
        facts=CANARY.encode(),
        permitted=(CANARY,),
    )
    metrics.on(decided(receipt, reason=CANARY))
    metrics.on(FellBack(source=CANARY, target=CANARY, reason="target_error"))
    failed = make_settlement(target=CANARY, error=CANARY, attempts=((CANARY, CANARY),))
    metrics.on(settled(receipt, failed, gaps=(1.0,)))
    text = metrics.render().decode()
    assert "CANARY" not in text
    assert get(samples(metrics), "aduana_privacy_findings_total", category="other") == 1


def test_a_reload_brings_its_rules_at_zero(metrics: Metrics) -> None:
    """New rules can be counted; the digest changes; a refused reload is counted apart."""
    metrics.policy_loaded(digest="new", rules=["night"])
    metrics.policy_refused()
    found = samples(metrics)
    assert get(found, "aduana_routing_decisions_total", zone="cloud", rule="night", reason="rule") == 0
    assert get(found, "aduana_policy_info", digest="new") == 1
    assert get(found, "aduana_policy_reloads_total", outcome="refused") == 1


def test_label_values_are_escaped() -> None:
    """Quotes, backslashes and line ends in a configured name survive a round trip."""
    counter = Counter("aduana_x_total", "x", ("a",))
    odd = 'a"b\\c\nd'
    counter.add(odd, by=3)
    (family,) = text_string_to_metric_families("".join(counter.lines()))
    assert family.samples[0].labels == {"a": odd}
    assert family.samples[0].value == 3


def test_a_family_is_bounded() -> None:
    """Beyond the bound, further label sets are one: memory does not grow with the number of words."""
    counter = Counter("aduana_x_total", "x", ("a",))
    for number in range(MAX_SERIES + 100):
        counter.add(str(number))
    assert counter.value("other") == 100
    histogram = Histogram("aduana_y_seconds", "y", ("a",), (1,))
    for number in range(MAX_SERIES + 100):
        histogram.observe(0.5, str(number))
    assert histogram.count("other") == 100


def test_rendering_beside_counting_is_safe(metrics: Metrics) -> None:
    """A scrape in a thread while events come in neither fails nor shows a histogram whose parts disagree."""
    stop = threading.Event()
    problems: list[BaseException] = []

    def scrape() -> None:
        try:
            while not stop.is_set():
                found = samples(metrics)
                for (name, labels), value in found.items():
                    if name.endswith("_bucket") and ("le", "+Inf") in labels:
                        rest = tuple(pair for pair in labels if pair[0] != "le")
                        assert found[name.removesuffix("_bucket") + "_count", rest] == value
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        for number in range(3000):
            metrics.on(decided())
            metrics.on(settled(gaps=(0.01,) * 10))
            metrics.policy_loaded(digest=str(number), rules=[f"rule{number % 50}"])
    finally:
        stop.set()
        thread.join()
    assert not problems


def test_promtool_finds_nothing_to_say(metrics: Metrics) -> None:
    """`promtool check metrics` finds nothing wrong with the exposition."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    for exposition in (metrics.render(), Metrics(KNOWN, World()).render()):
        done = subprocess.run([promtool, "check", "metrics"], input=exposition, capture_output=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_several_servers_of_a_target_are_told_apart(metrics: Metrics) -> None:
    """Each server's health and load, and who answered; a name that nobody configured is `other`."""
    for number, server in enumerate(("gpu-1", "gpu-1", "gpu-2", "made-up", "")):
        settlement = msgspec.structs.replace(settled().settlement, request_id=f"r{number}", server=server)
        metrics.on(msgspec.structs.replace(settled(), settlement=settlement))
    found = samples(metrics)
    where = {"target": "home", "outcome": "ok"}
    counted = {name: get(found, "aduana_server_requests_total", **where, server=name) for name in ("gpu-1", "gpu-2")}
    assert counted == {"gpu-1": 2, "gpu-2": 1}
    assert get(found, "aduana_server_requests_total", **where, server="other") == 1
    assert [get(found, "aduana_server_up", target="home", server=name) for name in counted] == [1, 0]
    assert get(found, "aduana_server_requests", target="home", server="gpu-1") == 5
    assert get(found, "aduana_server_requests_waiting", target="home", server="gpu-1") == 2
