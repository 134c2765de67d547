"""The pieces that both dashboards are made of: variables, panels, targets. Nothing here knows a metric."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

# A panel's targets: (expression, legend).
Targets = Sequence[tuple[str, str]]


def _targets(targets: Targets, *, instant: bool, as_table: bool = False) -> list[prometheus.Dataquery]:
    built = []
    for number, (expression, legend) in enumerate(targets):
        query = prometheus.Dataquery().expr(" ".join(expression.split())).legend_format(legend or "__auto")
        query = query.ref_id(chr(ord("A") + number)).datasource(SOURCE)
        query = query.instant() if instant else query.range()
        if as_table:
            from grafana_foundation_sdk.models.prometheus import PromQueryFormat

            query = query.format(PromQueryFormat.TABLE)
        built.append(query)
    return built


def _thresholds(steps: Sequence[tuple[float | None, str]]) -> dashboards.ThresholdsConfig:
    return (
        dashboards.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )


def number(
    title: str,
    description: str,
    targets: Targets,
    *,
    unit: str = "short",
    decimals: int | None = None,
    steps: Sequence[tuple[float | None, str]] = ((None, "blue"),),
    width: int = 4,
) -> stat.Panel:
    """One figure for the time range that the dashboard shows."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(_targets(targets, instant=True))
        .unit(unit)
        .thresholds(_thresholds(steps))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("-")
        .height(4)
        .span(width)
    )
    return panel if decimals is None else panel.decimals(decimals)


def graph(
    title: str,
    description: str,
    targets: Targets,
    *,
    unit: str = "short",
    stacked: bool = False,
    width: int = 12,
    least: float | None = 0,
    most: float | None = None,
    steps: Sequence[tuple[float | None, str]] | None = None,
) -> timeseries.Panel:
    """Lines over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(_targets(targets, instant=False))
        .unit(unit)
        .fill_opacity(30 if stacked else 8)
        .line_width(1)
        .show_points(common.VisibilityMode.NEVER)
        .legend(
            common_builders.VizLegendOptions()
            .show_legend(True)
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
        .height(8)
        .span(width)
    )
    if stacked:
        panel = panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if least is not None:
        panel = panel.min(least)
    if most is not None:
        panel = panel.max(most)
    if steps is not None:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(_thresholds(steps)).thresholds_style(style)
    return panel


def rows(title: str, description: str, targets: Targets, *, unit: str = "short", width: int = 12) -> table.Panel:
    """A table of the range's figures."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .targets(_targets(targets, instant=True, as_table=True))
        .unit(unit)
        .with_transformation(
            models.DataTransformerConfig(
                id_val="organize", options={"excludeByName": {"Time": True}, "renameByName": {"Value": title}}
            )
        )
        .height(8)
        .span(width)
    )


def _asked(name: str, label: str, query: str, *, everything: bool) -> dashboards.QueryVariable:
    variable = (
        dashboards.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": "variable"})
        .definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if everything:
        chosen = models.VariableOption(selected=True, text=["All"], value=["$__all"])
        variable = variable.multi(True).include_all(True).all_value(".*").current(chosen)
    return variable


def dashboard(title: str, uid: str, description: str, *, money: bool) -> dashboards.Dashboard:
    """A dashboard with the variables that every panel may use."""
    built = (
        dashboards.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["aduana"])
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .refresh("1m")
        .time("now-24h" if not money else "now-30d", "now")
        .with_variable(dashboards.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_asked("job", "Job", "label_values(aduana_build_info, job)", everything=True))
        .with_variable(
            _asked("instance", "Gateway", 'label_values(aduana_build_info{job=~"$job"}, instance)', everything=True)
        )
        .with_variable(
            _asked(
                "model",
                "Model",
                'label_values(aduana_requests_total{job=~"$job", instance=~"$instance"}, model)',
                everything=True,
            )
        )
    )
    if money:
        built = (
            built.with_variable(
                _asked(
                    "reference_model",
                    "Compared with",
                    'label_values(aduana_avoided_cloud_cost_usd_total{job=~"$job", instance=~"$instance"}, '
                    "reference_model)",
                    everything=True,
                )
            )
            .with_variable(
                dashboards.TextBoxVariable("currency")
                .label("Currency")
                .description("Only a name for the figures; the rate beside it converts them.")
                .default_value("USD")
                .current(models.VariableOption(text="USD", value="USD"))
            )
            .with_variable(
                dashboards.TextBoxVariable("rate")
                .label("1 US dollar is")
                .description("How much one US dollar is in that currency.")
                .default_value("1")
                .current(models.VariableOption(text="1", value="1"))
            )
        )
    return built
