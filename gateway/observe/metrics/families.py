"""The metrics that events feed, with help texts, labels and buckets: the table, as code."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from gateway.core.attachment import FileKind
from gateway.core.labels import Label, Zone
from gateway.core.limits import Scope
from gateway.core.record import Outcome
from gateway.observe.labels import NONE
from gateway.observe.metrics.exposition import Counter, Family, Histogram
from gateway.policy import Change

SOURCES = ("tag", "assigned_tag", "unknown_tag", "detector", "taint", "rule", "default")
RATES = ("requests_per_minute", "tokens_per_minute", "tokens_per_day", "parallel")
ACTIONS = ("kept_local", "masked", "refused", "released")
TOKEN_TYPES = ("input", "input_cached", "output", "reasoning")
READINGS = ("whole", "partly", "nothing", "skipped")
CAUSES = ("crashed", "stalled", "out_of_memory")

_DURATION = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300, 600)
_FIRST_TOKEN = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 40, 80)
_GAPS = (0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2.5)
_OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_QUEUE = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80)
_LOADS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)
_READINGS = (0.005, 0.02, 0.05, 0.1, 0.3, 0.5, 1, 2, 4, 8, 15, 30, 60)
_OUTCOMES = tuple(outcome.value for outcome in Outcome if outcome not in (Outcome.REFUSED, Outcome.UNKNOWN))


class Families:
    """The metrics that events feed.

    `models` are (zone, model) pairs, `clouds` (provider, model) pairs, `servers` (target, server) pairs.
    """

    def __init__(
        self,
        *,
        models: Sequence[tuple[str, str]],
        clouds: Sequence[tuple[str, str]],
        targets: Sequence[str],
        servers: Sequence[tuple[str, str]],
        reference_model: str,
        rules: Iterable[str],
        reasons: Sequence[str],
        faults: Sequence[str],
        stages: Sequence[str],
        dialects: Sequence[str],
        categories: Iterable[str],
        budgets: Sequence[str],
    ) -> None:
        local = sorted({model for zone, model in models if zone == Zone.LOCAL})
        self._reasons = reasons
        self.requests = Counter(
            "aduana_requests_total",
            "Requests that ended, by where they were answered and how they ended.",
            ("zone", "model", "dialect", "outcome"),
            known=[
                *((*pair, dialect, outcome) for pair, dialect, outcome in product(models, dialects, _OUTCOMES)),
                *((NONE, NONE, dialect, outcome.value) for dialect, outcome in product(dialects, _ENDINGS)),
            ],
        )
        self.decisions = Counter(
            "aduana_routing_decisions_total",
            "Decisions, by the zone of the first target and the rule that chose it.",
            ("zone", "rule", "reason"),
        )
        self.know_rules(rules)
        pairs = [(a, b) for a, b in product(targets, targets) if a != b] if len(targets) <= 8 else []
        self.fallbacks = Counter(
            "aduana_fallbacks_total",
            "Targets that failed before their first byte, and who was tried next.",
            ("source", "target", "reason"),
            known=((*pair, fault) for pair, fault in product(pairs, faults)),
        )
        self.server_requests = Counter(
            "aduana_server_requests_total",
            "Requests that ended, of targets with several servers, by the server that was asked last.",
            ("target", "server", "outcome"),
            known=((*pair, outcome) for pair, outcome in product(servers, _OUTCOMES)),
        )
        self.duration = Histogram(
            "aduana_request_duration_seconds",
            "Time from admission to the end of the answer.",
            ("zone", "model"),
            _DURATION,
            known=models,
        )
        self.first_token = Histogram(
            "aduana_time_to_first_token_seconds",
            "Time from admission to the first content.",
            ("zone", "model"),
            _FIRST_TOKEN,
            known=models,
        )
        self.gaps = Histogram(
            "aduana_inter_token_latency_seconds",
            "Gaps between the pieces of one answer.",
            ("zone", "model"),
            _GAPS,
            known=models,
        )
        self.overhead = Histogram(
            "aduana_overhead_seconds",
            "What the gateway itself takes, by stage.",
            ("stage",),
            _OVERHEAD,
            known=((stage,) for stage in stages),
        )
        self.queue_wait = Histogram(
            "aduana_queue_wait_seconds",
            "Wait for a free slot that local requests met, as expected when they were admitted.",
            ("model",),
            _QUEUE,
            known=((model,) for model in local),
        )
        self.tokens = Counter(
            "aduana_tokens_total",
            "Tokens; the types are disjoint, so that sums add up.",
            ("zone", "model", "type"),
            known=((*pair, kind) for pair, kind in product(models, TOKEN_TYPES)),
        )
        self.cost = Counter(
            "aduana_cloud_cost_usd_total",
            "What cloud requests cost, in US dollars.",
            ("provider", "model"),
            steps=1_000_000,
            known=clouds,
        )
        self.avoided = Counter(
            "aduana_avoided_cloud_cost_usd_total",
            "What local requests would have cost at the reference model, in US dollars.",
            ("model", "reference_model"),
            steps=1_000_000,
            known=((model, reference_model) for model in local),
        )
        self.unpriced = Counter(
            "aduana_unpriced_requests_total",
            "Requests whose price is not known; they are in no sum of money.",
            ("model",),
            known=((model,) for model in sorted({model for _, model in models})),
        )
        self.prefix_hits = Counter(
            "aduana_prefix_cache_hit_tokens_total",
            "Prompt tokens that did not have to be computed again.",
            ("model",),
            known=((model,) for model in local),
        )
        self.labels = Counter(
            "aduana_privacy_labels_total",
            "Requests by label, and by what set it.",
            ("label", "source"),
            known=product([label.word for label in Label], SOURCES),
        )
        self.unknown_tags = Counter(
            "aduana_unknown_tags_total",
            "Tags of requests that no policy, key or model declares: typing errors, most often.",
        )
        self.findings = Counter(
            "aduana_privacy_findings_total",
            "Findings by category.",
            ("category",),
            known=((category,) for category in categories),
        )
        self.actions = Counter(
            "aduana_privacy_actions_total",
            "What was done about sensitive requests.",
            ("action",),
            known=((action,) for action in ACTIONS),
        )
        self.violations = Counter(
            "aduana_privacy_violations_total",
            "Requests above their target's ceiling, stopped by the last check before the wire. Must stay 0.",
        )
        self.denials = Counter(
            "aduana_budget_denials_total",
            "Requests that this budget kept from their first choice: answered elsewhere, or refused.",
            ("budget",),
            known=((budget,) for budget in budgets),
        )
        self.limits = Counter(
            "aduana_limit_refusals_total",
            "Requests that a limit had no room for: refused, or answered by another target where it is a target's.",
            ("scope", "limit"),
            known=product([scope.value for scope in Scope], RATES),
        )
        self.loads = Counter(
            "aduana_model_loads_total",
            "Loads of local models.",
            ("model", "outcome"),
            known=product(local, ("ok", "error")),
        )
        self.load_seconds = Histogram(
            "aduana_model_load_seconds",
            "Time to load a local model.",
            ("model", "outcome"),
            _LOADS,
            known=product(local, ("ok", "error")),
        )
        self.model_waits = Histogram(
            "aduana_model_wait_seconds",
            "Time that requests waited for room and load of a local model that was not in memory.",
            ("model",),
            _LOADS,
            known=[(model,) for model in local],
        )
        self.restarts = Counter(
            "aduana_worker_restarts_total",
            "Engine workers and managed servers that had to be started again.",
            ("model", "cause"),
            known=product(local, CAUSES),
        )
        self.reloads = Counter(
            "aduana_policy_reloads_total",
            "Reloads of the policy; a refused one leaves the old rules in force.",
            ("outcome",),
            known=(("ok",), ("refused",)),
        )

        self.compared = Counter(
            "aduana_candidate_decisions_total",
            "Decisions of the candidate policy, which sends nothing, by how they differ from those in force.",
            ("change",),
            known=[(change.value,) for change in Change],
        )

        self.shadowed = Histogram(
            "aduana_shadow_similarity_ratio",
            "Words in common between an answer and the answer of the shadow target, 0 to 1.",
            ("target", "shadow"),
            _SHARES,
            known=pairs,
        )

        self.attachments = Histogram(
            "aduana_attachment_read_seconds",
            "Time to read an attachment, by what it is and how much was read of it; skipped: too many waited.",
            ("kind", "outcome"),
            _READINGS,
            known=product([kind.value for kind in FileKind], READINGS),
        )

    def know_rules(self, rules: Iterable[str]) -> None:
        """Let the rules of a policy begin at 0 in each zone."""
        zones = (*(zone.value for zone in Zone), NONE)
        self.decisions.know(product(zones, rules, self._reasons))

    def all(self) -> Iterator[Family]:
        """Yield every family, in the order in which it was made."""
        for value in vars(self).values():
            if isinstance(value, Counter | Histogram):
                yield value


# A request that no target answered.
_ENDINGS = (Outcome.ERROR, Outcome.CANCELLED, Outcome.REFUSED)
