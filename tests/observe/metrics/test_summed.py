"""The metrics of several workers as one exposition: what they counted adds up, and nothing goes back."""

from prometheus_client.parser import text_string_to_metric_families

from gateway.observe.metrics.metrics import Metrics
from gateway.observe.metrics.summed import RULES, Summed, parsed
from tests.observe.conftest import settled

ONE = """# HELP asked_total Asked.
# TYPE asked_total counter
asked_total{by="a b"} 3
asked_total{by="c"} 1
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="1.0"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 4.5
seconds_count 2
# HELP aduana_queue_depth Waiting.
# TYPE aduana_queue_depth gauge
aduana_queue_depth{target="den"} 2
# HELP aduana_target_up Up.
# TYPE aduana_target_up gauge
aduana_target_up{target="den"} 1
"""
OTHER = ONE.replace('{by="a b"} 3', '{by="a b"} 10').replace(
    'aduana_target_up{target="den"} 1', 'aduana_target_up{target="den"} 0'
)


def values(text: str) -> dict[str, float]:
    """All samples of an exposition, by name and labels."""
    return {sample: value for family in parsed(text).values() for sample, value in family.samples.items()}


def test_what_was_counted_adds_up_and_the_worst_state_counts() -> None:
    """Counters and histograms are sums, what each has for itself too; a target is up where both can ask it."""
    assert values(Summed().text([ONE, OTHER])) == {
        'asked_total{by="a b"}': 13,
        'asked_total{by="c"}': 2,
        'seconds_bucket{le="1.0"}': 2,
        'seconds_bucket{le="+Inf"}': 4,
        "seconds_sum": 9,
        "seconds_count": 4,
        'aduana_queue_depth{target="den"}': 4,
        'aduana_target_up{target="den"}': 0,
    }


def test_no_count_goes_back_when_a_worker_dies() -> None:
    """What it had counted stays, what it had waiting is gone with it; a new one counts on from there."""
    summed = Summed()
    summed.ended(OTHER)
    summed.ended("")
    assert values(summed.text([ONE])) == {
        'asked_total{by="a b"}': 13,
        'asked_total{by="c"}': 2,
        'seconds_bucket{le="1.0"}': 2,
        'seconds_bucket{le="+Inf"}': 4,
        "seconds_sum": 9,
        "seconds_count": 4,
        'aduana_queue_depth{target="den"}': 2,
        'aduana_target_up{target="den"}': 1,
    }
    assert values(summed.text([]))['asked_total{by="a b"}'] == 10


def test_a_gateways_whole_page_stays_what_it_is(metrics: Metrics) -> None:
    """One worker's page comes out as it was, two give twice the counts; Prometheus' own parser reads it."""
    metrics.on(settled())
    page = metrics.render().decode()
    assert values(Summed().text([page])) == values(page)
    twice = list(text_string_to_metric_families(Summed().text([page, page])))
    assert [family.name for family in twice]
    assert {family.type for family in twice} == {"counter", "gauge", "histogram"}
    requests = next(family for family in twice if family.name == "aduana_requests")
    assert sum(sample.value for sample in requests.samples) == 2


def test_every_gauge_has_a_rule(metrics: Metrics) -> None:
    """Whoever adds a gauge says what the values of several workers make."""
    gauges = {name for name, family in parsed(metrics.render().decode()).items() if family.kind == "gauge"}
    assert gauges - RULES.keys() == set()
    assert {name for name in RULES if name.startswith("aduana_")} <= gauges
