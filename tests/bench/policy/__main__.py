"""Cost of a decision with 10, 100 and 1,000 rules, beside two implementations of CEL on the same conditions.

Run with `make bench-policy`. CPU time, medians; on a busy machine only the ratios of one run mean anything.
`cel-python` and `common-expression-language` are used where they are installed (`pip install` both to see them).
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable

from gateway.core.snapshot import Gpu, Snapshot
from gateway.core.target import TargetState
from gateway.policy import Evidence, Policy, decide, facts_json, load_policy
from gateway.policy.evaluation.request_view import RequestView
from gateway.policy.proof.check import check
from tests.bench.policy.cases import CEL_FACTS, HOUSE, INBOUND, INSPECTION, cel_of, claims, rules_of

CEILING_US = {10: 15.0, 100: 40.0, 1000: 200.0}


def median_us(work: Callable[[], object], seconds: float) -> float:
    """Median CPU microseconds of one call, over rounds of calls."""
    begun = time.process_time()
    work()
    calls = max(1, min(2000, int(0.005 / max(time.process_time() - begun, 1e-7))))
    rounds: list[float] = []
    gc.disable()
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline or len(rounds) < 5:
        begun = time.process_time()
        for _ in range(calls):
            work()
        rounds.append((time.process_time() - begun) / calls)
    gc.enable()
    return statistics.median(rounds) * 1e6


def ordinary() -> Evidence:
    """An ordinary moment: nothing matches but the last rule."""
    snapshot = Snapshot(
        gpu=Gpu(utilization=0.3, temperature=55),
        targets={"home": TargetState(queue_wait_seconds=0.5, queue_depth=1), "big": TargetState(latency_seconds=0.4)},
        prompt_tokens_estimate=700,
        prompt_tokens={"home": 700},
        prices={"big": 0.002},
    )
    return Evidence(inbound=INBOUND, inspection=INSPECTION, snapshot=snapshot)


def policy_text(count: int, kind: str) -> str:
    """A policy of `count` rules whose last one matches. JSON is YAML."""
    document = {
        "version": 1,
        "labels": {"default": "public", "tags": {"health": "sensitive"}},
        "tags": [f"client-{number}" for number in range(count)],
        "rules": [{"name": f"rule {number}", "when": when, "prefer": ["home", "big"]}
                  for number, when in enumerate(rules_of(count, kind))],
        "otherwise": {"prefer": ["home", "big"]},
    }  # fmt: skip
    return json.dumps(document)


def conditions(policy: Policy, evidence: Evidence) -> int:
    """Only the conditions of all rules, without label, targets and the decision itself: what CEL does."""
    alias = policy.catalog.aliases["auto"]
    index = policy.compiled.index
    view = RequestView(evidence, alias, policy.locals[alias.name])
    return index.moving(view, index.fixed(view))


def bench_decide(seconds: float) -> None:
    """The table of decision costs."""
    evidence = ordinary()
    print(
        f"{'rules':>6} {'kind':<9} {'load ms':>8} {'decide us':>10} {'ceiling':>8} {'rules us':>9}   "
        "rules only, times Aduana's"
    )
    for kind in ("mixed", "numbers", "any"):
        for count in (10, 100, 1000):
            text = policy_text(count, kind)
            begun = time.process_time()
            policy = load_policy([("bench.yaml", text)], HOUSE)
            load = (time.process_time() - begun) * 1e3
            assert decide(evidence, policy).rule == f"rule {count - 1}"
            rules = median_us(lambda policy=policy: conditions(policy, evidence), seconds)
            cost = median_us(lambda policy=policy: decide(evidence, policy), seconds)
            others = ", ".join(f"{name} {other / rules:.1f}x ({other:.0f} us)" for name, other in
                               cel_costs(count, kind, seconds) if other is not None)  # fmt: skip
            figures = f"{load:>8.0f} {cost:>10.1f} {CEILING_US[count]:>8.0f} {rules:>9.1f}"
            print(f"{count:>6} {kind:<9} {figures}   {others or '-'}")


def cel_costs(count: int, kind: str, seconds: float) -> list[tuple[str, float | None]]:
    """First-match over the same conditions, compiled beforehand, conditions only (no labels, no targets)."""
    expressions = [cel_of(when) for when in rules_of(count, kind)]
    return [
        ("cel-python", _cel_python(expressions, seconds)),
        ("common-expression-language", _cel_rust(expressions, seconds)),
    ]


def _cel_python(expressions: list[str], seconds: float) -> float | None:
    try:
        import celpy
    except ImportError:
        return None
    if len(expressions) > 100:
        expressions = expressions[:100]  # a tenth is measured and scaled: the whole takes too long
        scale = 10.0
    else:
        scale = 1.0
    environment = celpy.Environment()
    programs = [environment.program(environment.compile(expression)) for expression in expressions]

    def all_rules() -> None:
        facts = celpy.json_to_cel(CEL_FACTS)  # once a request
        for program in programs:
            program.evaluate(facts)

    return median_us(all_rules, seconds) * scale


def _cel_rust(expressions: list[str], seconds: float) -> float | None:
    try:
        import cel
    except ImportError:
        return None
    programs = [cel.compile(expression) for expression in expressions]

    def first_match() -> int | None:
        facts = cel.Context(CEL_FACTS)  # once a request
        return next((number for number, program in enumerate(programs) if program.execute(facts)), None)

    return median_us(first_match, seconds)


def bench_rest(seconds: float) -> None:
    """`aduana check`, and the facts that go to the ledger."""
    document = json.loads(policy_text(200, "mixed"))
    document["claims"] = claims()
    begun, cpu = time.perf_counter(), time.process_time()
    policy = load_policy([("bench.yaml", json.dumps(document))], HOUSE)
    result = check(policy)
    held = sum(verdict.outcome == "proved" for verdict in result.proof.verdicts)
    print(f"check, 200 rules, {len(document['claims'])} claims ({held} of {len(result.proof.verdicts)} proved): "
          f"{time.perf_counter() - begun:.2f} s, CPU {time.process_time() - cpu:.2f} s (ceiling 3 s)")  # fmt: skip
    evidence = ordinary()
    cost = median_us(lambda: facts_json(evidence), seconds)
    print(f"facts_json: {cost:.1f} us, {len(facts_json(evidence))} bytes")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.policy", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each measurement")
    args = parser.parse_args()
    bench_decide(args.seconds)
    bench_rest(args.seconds)


if __name__ == "__main__":
    main()
