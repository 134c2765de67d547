"""The dashboard "Savings and routing": money, routing, privacy, budgets."""

from grafana_foundation_sdk.builders import dashboard as dashboards

from grafana.panels import dashboard, graph, number, rows

AT = 'job=~"$job", instance=~"$instance"'
MODELS = f'{AT}, model=~"$model"'
STATE_REQUEST = ', state="request"'
ZONE_LOCAL = ', zone="local"'
ZONE_ANSWERED = ', zone=~"local|cloud"'
REFERENCE = f'{MODELS}, reference_model=~"$reference_model"'


def _sum(metric: str, where: str = AT, window: str = "$__range") -> str:
    return f"sum(increase({metric}{{{where}}}[{window}]))"


AVOIDED = _sum("aduana_avoided_cloud_cost_usd_total", REFERENCE)
ELECTRICITY = _sum("aduana_electricity_cost_usd_total")
HARDWARE = _sum("aduana_hardware_amortization_usd_total")
CLOUD = _sum("aduana_cloud_cost_usd_total", MODELS)
# Money has no unit of its own here: the text box names the currency, so one dashboard serves all.
MONEY = "short"
GOOD = ((None, "red"), (0.0, "green"))
NEVER = ((None, "green"), (1.0, "red"))


def _or_zero(expression: str) -> str:
    return f"({expression} or vector(0))"


def build() -> dashboards.Dashboard:
    """The whole dashboard."""
    saved = f"({AVOIDED} - {_or_zero(ELECTRICITY)} - {HARDWARE}) * $rate"
    built = dashboard(
        "Aduana: savings and routing",
        "aduana-savings",
        "What the same requests would have cost in the cloud, what was paid, and that nothing sensitive left.",
        money=True,
    )
    return _budgets(_privacy(_routing(_money(built, saved))))


def _money(built: dashboards.Dashboard, saved: str) -> dashboards.Dashboard:
    hour = "1h"
    return (
        built.with_row(dashboards.Row("Money"))
        .with_panel(
            number(
                "Saved, $currency",
                "Avoided cloud cost (estimated) minus electricity and the hardware's loss of value. Can be negative.",
                [(saved, "saved")],
                unit=MONEY,
                decimals=2,
                steps=GOOD,
            )
        )
        .with_panel(
            number(
                "All in the cloud, $currency",
                "What everything would have cost without this gateway: paid plus avoided (an estimate).",
                [(f"({AVOIDED} + {_or_zero(CLOUD)}) * $rate", "all in the cloud")],
                unit=MONEY,
                decimals=2,
            )
        )
        .with_panel(
            number(
                "Cloud cost avoided (estimated), $currency",
                "Estimated: local tokens times prices.token_ratio, at the prices of the reference model.",
                [(f"{AVOIDED} * $rate", "avoided")],
                unit=MONEY,
                decimals=2,
            )
        )
        .with_panel(
            number(
                "Paid to clouds, $currency",
                "At the providers' list prices.",
                [(f"{_or_zero(CLOUD)} * $rate", "paid")],
                unit=MONEY,
                decimals=2,
            )
        )
        .with_panel(
            number(
                "Electricity, $currency",
                "Measured or estimated energy at the tariff of its moment.",
                [(f"{_or_zero(ELECTRICITY)} * $rate", "electricity")],
                unit=MONEY,
                decimals=2,
            )
        )
        .with_panel(
            number(
                "Hardware, $currency",
                "Loss of value in this time, evenly over the configured years.",
                [(f"{HARDWARE} * $rate", "hardware")],
                unit=MONEY,
                decimals=2,
            )
        )
        .with_panel(
            graph(
                "Money per hour, $currency",
                "Avoided, paid, electricity and hardware, each for the hour before.",
                [
                    (f"{_sum('aduana_avoided_cloud_cost_usd_total', REFERENCE, hour)} * $rate", "avoided"),
                    (f"{_or_zero(_sum('aduana_cloud_cost_usd_total', MODELS, hour))} * $rate", "paid to clouds"),
                    (f"{_or_zero(_sum('aduana_electricity_cost_usd_total', AT, hour))} * $rate", "electricity"),
                    (f"{_sum('aduana_hardware_amortization_usd_total', AT, hour)} * $rate", "hardware"),
                ],
                unit=MONEY,
            )
        )
        .with_panel(
            rows(
                "Avoided by model, $currency",
                "Which local model saved how much, and compared with what.",
                [
                    (
                        "sum by (model, reference_model) (increase("
                        f"aduana_avoided_cloud_cost_usd_total{{{REFERENCE}}}[$__range])) * $rate",
                        "",
                    )
                ],
                unit=MONEY,
                width=6,
            )
        )
        .with_panel(
            rows(
                "Paid by model, $currency",
                "Which cloud model cost how much.",
                [
                    (
                        "sum by (provider, model) (increase("
                        f"aduana_cloud_cost_usd_total{{{MODELS}}}[$__range])) * $rate",
                        "",
                    )
                ],
                unit=MONEY,
                width=6,
            )
        )
        .with_panel(
            number(
                "Requests without a known price",
                "They are in none of the sums above. Give their models a price under prices.overrides.",
                [(_sum("aduana_unpriced_requests_total", MODELS), "unpriced")],
                decimals=0,
                steps=((None, "green"), (1.0, "orange")),
                width=6,
            )
        )
        .with_panel(
            number(
                "Electricity price, $currency per kWh",
                "The tariff now, taxes included.",
                [(f"max(aduana_electricity_price_usd_per_kwh{{{AT}}}) * $rate", "price")],
                unit=MONEY,
                decimals=3,
                width=6,
            )
        )
        .with_panel(
            number(
                "Energy, kWh",
                "All measured or estimated devices.",
                [(f"{_sum('aduana_energy_joules_total')} / 3.6e6", "energy")],
                decimals=2,
                width=6,
            )
        )
        .with_panel(
            number(
                "Share of energy that answered requests",
                "The rest was idle.",
                [
                    (
                        f"{_sum('aduana_energy_joules_total', AT + STATE_REQUEST)} / "
                        f"{_sum('aduana_energy_joules_total')}",
                        "requests",
                    )
                ],
                unit="percentunit",
                decimals=1,
                width=6,
            )
        )
    )


def _routing(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Routing"))
        .with_panel(
            graph(
                "Requests by zone",
                "Where requests were answered; `none`: refused or failed.",
                [(f"sum by (zone) (rate(aduana_requests_total{{{AT}}}[$__rate_interval]))", "{{zone}}")],
                unit="reqps",
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Decisions by rule",
                "Which rule of the policy chose the first target.",
                [
                    (
                        f"sum by (rule, zone) (rate(aduana_routing_decisions_total{{{AT}}}[$__rate_interval])) > 0",
                        "{{rule}} → {{zone}}",
                    )
                ],
                unit="reqps",
                stacked=True,
            )
        )
        .with_panel(
            number(
                "Answered locally",
                "Share of answered requests that stayed at home.",
                [
                    (
                        f"{_sum('aduana_requests_total', AT + ZONE_LOCAL)} / "
                        f"{_sum('aduana_requests_total', AT + ZONE_ANSWERED)}",
                        "local",
                    )
                ],
                unit="percentunit",
                decimals=1,
                width=6,
            )
        )
        .with_panel(
            graph(
                "Fallbacks",
                "Targets that failed before their first byte, and who answered instead.",
                [
                    (
                        "sum by (source, target, reason) ("
                        f"increase(aduana_fallbacks_total{{{AT}}}[$__rate_interval])) > 0",
                        "{{source}} → {{target}}: {{reason}}",
                    )
                ],
                width=18,
            )
        )
        .with_panel(
            graph(
                "Candidate policy",
                "How a candidate policy, which sends nothing, would have decided, beside the one in force.",
                [(f"sum by (change) (rate(aduana_candidate_decisions_total{{{AT}}}[$__rate_interval]))", "{{change}}")],
                unit="reqps",
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Likeness of shadow answers",
                "Words that a shadow's answer has in common with the answer given: median, 1 is the same words.",
                [
                    (
                        "histogram_quantile(0.5, sum by (le, target, shadow) (rate("
                        f"aduana_shadow_similarity_ratio_bucket{{{AT}}}[$__rate_interval])))",
                        "{{target}} and {{shadow}}",
                    )
                ],
                most=1,
            )
        )
        .with_panel(
            graph(
                "How requests ended",
                "ok, error, cancelled by the client, refused by the policy.",
                [(f"sum by (outcome) (rate(aduana_requests_total{{{AT}}}[$__rate_interval]))", "{{outcome}}")],
                unit="reqps",
                stacked=True,
                width=24,
            )
        )
    )


def _privacy(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Privacy"))
        .with_panel(
            number(
                "Violations stopped at the wire",
                "Requests above their target's ceiling that only the last check caught. Must be 0.",
                [(_sum("aduana_privacy_violations_total"), "violations")],
                decimals=0,
                steps=NEVER,
            )
        )
        .with_panel(
            number(
                "Sensitive requests kept local",
                "Answered here, so that they did not have to leave.",
                [(_sum("aduana_privacy_actions_total", AT + ', action="kept_local"'), "kept local")],
                decimals=0,
            )
        )
        .with_panel(
            number(
                "Sensitive requests refused",
                "Nothing here could answer, so nobody did.",
                [(_sum("aduana_privacy_actions_total", AT + ', action="refused"'), "refused")],
                decimals=0,
            )
        )
        .with_panel(
            graph(
                "Labels",
                "How sensitive requests were, and what said so.",
                [
                    (
                        f"sum by (label, source) (rate(aduana_privacy_labels_total{{{AT}}}[$__rate_interval]))",
                        "{{label}} by {{source}}",
                    )
                ],
                unit="reqps",
                stacked=True,
            )
        )
        .with_panel(
            rows(
                "Findings",
                "What inspection found, by category.",
                [(f"sum by (category) (increase(aduana_privacy_findings_total{{{AT}}}[$__range]))", "")],
                width=6,
            )
        )
        .with_panel(
            rows(
                "What was done",
                "Actions on sensitive requests.",
                [(f"sum by (action) (increase(aduana_privacy_actions_total{{{AT}}}[$__range]))", "")],
                width=6,
            )
        )
    )


def _budgets(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Budgets"))
        .with_panel(
            graph(
                "Budget used",
                "Spent and reserved, as a share of the limit.",
                [
                    (
                        f"max by (budget, period) (aduana_budget_spent_usd{{{AT}}}) / "
                        f"max by (budget, period) (aduana_budget_limit_usd{{{AT}}})",
                        "{{budget}} ({{period}})",
                    )
                ],
                unit="percentunit",
                steps=((None, "green"), (0.8, "orange"), (1.0, "red")),
            )
        )
        .with_panel(
            graph(
                "Spent, $currency",
                "By budget, in its running period.",
                [(f"max by (budget, period) (aduana_budget_spent_usd{{{AT}}}) * $rate", "{{budget}} ({{period}})")],
                unit=MONEY,
                width=8,
            )
        )
        .with_panel(
            number(
                "Refused for a budget",
                "Requests that a spent budget stopped.",
                [(_sum("aduana_budget_denials_total"), "refused")],
                decimals=0,
            )
        )
    )
