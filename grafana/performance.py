"""The dashboard "Performance and GPU": latency, throughput, engine, GPU."""

from grafana_foundation_sdk.builders import dashboard as dashboards

from grafana.panels import Targets, dashboard, graph, number

AT = 'job=~"$job", instance=~"$instance"'
MODELS = f'{AT}, model=~"$model"'
PROMPTS = f'{MODELS}, zone="local", type=~"input|input_cached"'


def _quantiles(metric: str, by: str, where: str = MODELS) -> Targets:
    def one(share: float) -> str:
        return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{where}}}[$__rate_interval])))"

    name = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return [(one(0.5), f"{name} median"), (one(0.95), f"{name} 95 %")]


def build() -> dashboards.Dashboard:
    """The whole dashboard."""
    built = dashboard(
        "Aduana: performance and GPU",
        "aduana-performance",
        "How fast answers begin and flow, what the gateway itself takes, how full engine and GPU are.",
        money=False,
    )
    return _gpu(_attachments(_engine(_throughput(_latency(built)))))


def _latency(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Latency"))
        .with_panel(
            graph(
                "Time to first token",
                "From admission to the first content.",
                _quantiles("aduana_time_to_first_token_seconds", "zone, model"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Gaps between tokens",
                "Between the pieces of one answer.",
                _quantiles("aduana_inter_token_latency_seconds", "zone, model"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Whole requests",
                "From admission to the end of the answer.",
                _quantiles("aduana_request_duration_seconds", "zone, model"),
                unit="s",
                width=8,
            )
        )
        .with_panel(
            graph(
                "The gateway's own part",
                "Inspection, counting, decision, receipt: 95 of 100 requests are faster than this.",
                [
                    (
                        "histogram_quantile(0.95, sum by (le, stage) (rate("
                        f"aduana_overhead_seconds_bucket{{{AT}}}[$__rate_interval])))",
                        "{{stage}}",
                    )
                ],
                unit="s",
                width=8,
            )
        )
        .with_panel(
            graph(
                "Wait for a slot",
                "What local requests could expect when they were admitted.",
                _quantiles("aduana_queue_wait_seconds", "model"),
                unit="s",
                width=8,
            )
        )
    )


def _throughput(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Throughput"))
        .with_panel(
            graph(
                "Generated tokens",
                "Answers and reasoning, per second.",
                [
                    (
                        "sum by (zone, model) (rate("
                        f'aduana_tokens_total{{{MODELS}, type=~"output|reasoning"}}[$__rate_interval]))',
                        "{{zone}} {{model}}",
                    )
                ],
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Prompt tokens",
                "Computed, and found in a cache, per second.",
                [
                    (
                        "sum by (zone, model, type) (rate("
                        f'aduana_tokens_total{{{MODELS}, type=~"input|input_cached"}}[$__rate_interval]))',
                        "{{zone}} {{model}} {{type}}",
                    )
                ],
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Requests",
                "By model and how they ended.",
                [
                    (
                        f"sum by (model, outcome) (rate(aduana_requests_total{{{MODELS}}}[$__rate_interval]))",
                        "{{model}} {{outcome}}",
                    )
                ],
                unit="reqps",
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Prompt tokens from the prefix cache",
                "Share that local models did not have to compute.",
                [
                    (
                        f"sum by (model) (rate(aduana_prefix_cache_hit_tokens_total{{{MODELS}}}[$__rate_interval])) / "
                        f"sum by (model) (rate(aduana_tokens_total{{{PROMPTS}}}[$__rate_interval]))",
                        "{{model}}",
                    )
                ],
                unit="percentunit",
                most=1,
            )
        )
    )


def _attachments(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Attachments"))
        .with_panel(
            graph(
                "Attachments read",
                "By how much was read of them, per second; skipped: too many waited.",
                [
                    (
                        f"sum by (outcome) (rate(aduana_attachment_read_seconds_count{{{AT}}}[$__rate_interval]))",
                        "{{outcome}}",
                    )
                ],
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Time to read one",
                "From the moment it is wanted, waiting for the reader included.",
                _quantiles("aduana_attachment_read_seconds", "kind", AT),
                unit="s",
            )
        )
    )


def _engine(built: dashboards.Dashboard) -> dashboards.Dashboard:
    return (
        built.with_row(dashboards.Row("Engine and targets"))
        .with_panel(
            graph(
                "In flight",
                "Requests that are being answered.",
                [(f"sum by (target) (aduana_requests_in_flight{{{AT}}})", "{{target}}")],
                stacked=True,
                width=6,
            )
        )
        .with_panel(
            graph(
                "Slots in use",
                "Busy slots of each local target, as a share.",
                [
                    (
                        f"sum by (target) (aduana_slots_busy{{{AT}}}) / sum by (target) (aduana_slots{{{AT}}})",
                        "{{target}}",
                    )
                ],
                unit="percentunit",
                most=1,
                width=6,
            )
        )
        .with_panel(
            graph(
                "KV memory in use",
                "Share that running requests hold. What only waits to be used again does not count.",
                [(f"max by (model) (aduana_kv_cache_used_ratio{{{AT}}})", "{{model}}")],
                unit="percentunit",
                most=1,
                width=6,
            )
        )
        .with_panel(
            graph(
                "Queue",
                "Requests that wait for a slot.",
                [(f"sum by (target) (aduana_queue_depth{{{AT}}})", "{{target}}")],
                width=6,
            )
        )
        .with_panel(
            graph(
                "Targets that answer",
                "1: up; 0: down.",
                [(f"min by (target) (aduana_target_up{{{AT}}})", "{{target}}")],
                most=1,
                width=8,
            )
        )
        .with_panel(
            graph(
                "Targets left alone after faults",
                "1: the breaker is open.",
                [(f"max by (target) (aduana_breaker_open{{{AT}}})", "{{target}}")],
                most=1,
                width=8,
            )
        )
        .with_panel(
            number(
                "Worker restarts",
                "Engine workers that had to be started again.",
                [(f"sum(increase(aduana_worker_restarts_total{{{AT}}}[$__range]))", "restarts")],
                decimals=0,
                steps=((None, "green"), (1.0, "orange")),
            )
        )
        .with_panel(
            number(
                "Receipts can be written",
                "1: yes. While they can't be, nothing is sent.",
                [(f"min(aduana_ledger_up{{{AT}}})", "ledger")],
                decimals=0,
                steps=((None, "red"), (1.0, "green")),
            )
        )
        .with_panel(
            graph(
                "Model loads",
                "Slowest of 20 loads since the gateway started: they are too rare for a rate.",
                [
                    (
                        f"histogram_quantile(0.95, sum by (le, model) (aduana_model_load_seconds_bucket{{{MODELS}}}))",
                        "{{model}}",
                    )
                ],
                unit="s",
            )
        )
        .with_panel(
            graph(
                "The gateway's processor time",
                "Share of one core. The engine workers are processes of their own.",
                [(f"sum by (instance) (rate(process_cpu_seconds_total{{{AT}}}[$__rate_interval]))", "{{instance}}")],
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "The gateway's memory",
                "Resident memory of the gateway's own process.",
                [(f"sum by (instance) (process_resident_memory_bytes{{{AT}}})", "{{instance}}")],
                unit="bytes",
            )
        )
    )


def _gpu(built: dashboards.Dashboard) -> dashboards.Dashboard:
    def of(metric: str) -> str:
        return f"max by (instance, gpu) ({metric}{{{AT}}})"

    return (
        built.with_row(dashboards.Row("GPU and energy"))
        .with_panel(
            graph(
                "GPU load",
                "Share of time in which the card was busy.",
                [(of("aduana_gpu_utilization_ratio"), "{{gpu}}")],
                unit="percentunit",
                most=1,
            )
        )
        .with_panel(
            graph(
                "GPU memory",
                "In use, as a share.",
                [(f"{of('aduana_gpu_memory_used_bytes')} / {of('aduana_gpu_memory_total_bytes')}", "{{gpu}}")],
                unit="percentunit",
                most=1,
            )
        )
        .with_panel(
            graph(
                "GPU power",
                "As the card reports it.",
                [(of("aduana_gpu_power_watts"), "{{gpu}}")],
                unit="watt",
                width=8,
            )
        )
        .with_panel(
            graph(
                "GPU temperature",
                "The card slows itself down when it gets too hot.",
                [(of("aduana_gpu_temperature_celsius"), "{{gpu}}")],
                unit="celsius",
                steps=((None, "green"), (83.0, "orange"), (90.0, "red")),
                width=8,
            )
        )
        .with_panel(
            graph(
                "Power by use",
                "Energy over time: what answered requests, and what was idle.",
                [
                    (
                        f"sum by (device, state) (rate(aduana_energy_joules_total{{{AT}}}[$__rate_interval]))",
                        "{{device}} {{state}}",
                    )
                ],
                unit="watt",
                stacked=True,
                width=8,
            )
        )
        .with_panel(
            graph(
                "Energy per generated token",
                "Joules of local answers, prompts included.",
                [
                    (
                        f'sum(rate(aduana_energy_joules_total{{{AT}, state="request"}}[$__rate_interval])) / '
                        "sum(rate("
                        f'aduana_tokens_total{{{AT}, zone="local", type=~"output|reasoning"}}[$__rate_interval]))',
                        "joules per token",
                    )
                ],
                unit="joule",
                width=24,
            )
        )
    )
