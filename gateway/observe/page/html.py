"""The status page as HTML: a pure function of its view. Nothing from elsewhere, reads well without script and style."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from gateway.core.record import Savings
from gateway.core.snapshot import Budget
from gateway.core.usage import MICROS
from gateway.observe.page.view import PageView, RequestRow, TargetRow

STYLE = """
:root{color-scheme:light dark;--ink:#1b2330;--dim:#5b6675;--paper:#f6f7f9;--card:#fff;--edge:#d9dee5;--good:#116b3a;
--bad:#a3261b;--cloud:#1f4fa3;--local:#116b3a}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--dim:#a0abba;--paper:#12161c;--card:#1b2129;--edge:#303946;
--good:#6fd79b;--bad:#ff9a8d;--cloud:#9dc0ff;--local:#6fd79b}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main,header,footer{max-width:80rem;margin:0 auto;padding:0 1rem}header{padding-top:1.5rem}h1{font-size:1.5rem;margin:0}
h2{font-size:1.05rem;margin:2rem 0 .6rem}p{margin:.3rem 0}.dim{color:var(--dim)}.good{color:var(--good)}
.bad{color:var(--bad);font-weight:600}.cloud{color:var(--cloud)}.local{color:var(--local)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem}
.card{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:.75rem .9rem;margin:0}
.card dt{color:var(--dim);font-size:.85rem}.card dd{margin:0;font-size:1.45rem;font-variant-numeric:tabular-nums}
.card dd.note{font-size:.8rem;color:var(--dim)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.4rem .7rem;white-space:nowrap}
th{color:var(--dim);font-weight:600}tbody tr{border-top:1px solid var(--edge)}td.n,th.n{text-align:right;
font-variant-numeric:tabular-nums}footer{padding:2rem 1rem;font-size:.85rem}
button{font:inherit;font-size:.85rem;color:inherit;background:var(--card);border:1px solid var(--edge);
border-radius:.4rem;padding:.15rem .6rem;cursor:pointer}a{color:var(--cloud)}
.scroll:focus-visible{outline:3px solid var(--cloud)}
"""


# Renews the figures in place, so that scrolling and focus stay; a button stops it. Without it the page is just still.
SCRIPT = """
const button=document.getElementById("live"),moment=document.getElementById("moment");
const main=document.querySelector("main");
let live=true;button.hidden=false;
button.onclick=()=>{live=!live;button.textContent=live?"Pause":"Go on";};
setInterval(async()=>{if(!live||document.hidden)return;
try{const answer=await fetch(location.href);if(!answer.ok)return;
const fresh=new DOMParser().parseFromString(await answer.text(),"text/html");
main.querySelectorAll(":scope > section").forEach(old=>old.remove());
main.append(...fresh.querySelectorAll("main > section"));
moment.textContent=fresh.getElementById("moment").textContent;
}catch(error){moment.textContent="The gateway does not answer.";}
},5000);
"""


def html(view: PageView) -> str:
    """Return the page. Everything that was not written here is escaped."""
    moment = datetime.fromtimestamp(view.now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    sections = (_health(view), _money(view), _targets(view), _machine(view), _budgets(view), _requests(view))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Aduana</title><style>{STYLE}</style></head><body>"
        "<header><h1>Aduana</h1>"
        f'<p class="dim">Sensitive data stays local. <span id="moment">As of {moment}.</span> '
        '<button id="live" type="button" hidden>Pause</button></p>'
        f"</header><main>{''.join(sections)}</main>"
        f'<footer class="dim">Version {escape(view.version)} · policy {escape(view.digest[:12]) or "-"} · '
        f"{_renewed(view)}"
        '<a href="/metrics">metrics</a> · <a href="/readyz">readiness</a></footer>'
        f"<script>{SCRIPT}</script></body></html>\n"
    )


def _renewed(view: PageView) -> str:
    if view.keys_renewed is None:
        return ""
    return f"keys renewed {datetime.fromtimestamp(view.keys_renewed, UTC):%Y-%m-%d %H:%M:%S} UTC · "


def _health(view: PageView) -> str:
    parts = []
    if view.violations:
        parts.append(
            f'<p class="bad" role="alert">{view.violations} request(s) above their target’s ceiling were stopped by '
            "the last check. This must never happen: please report it.</p>"
        )
    parts += [f'<p class="bad" role="alert">{escape(problem)}</p>' for problem in view.problems]
    down = [target.name for target in view.targets if not target.healthy]
    if down:
        parts.append(f'<p class="bad">Not answering: {escape(", ".join(down))}.</p>')
    parts += [
        f'<p class="bad">{escape(target.name)} {escape(target.failure)}</p>'
        for target in view.targets
        if target.failure
    ]
    if not parts:
        parts.append('<p class="good">All is well: receipts are written and every target answers.</p>')
    return f'<section aria-label="Health">{"".join(parts)}</section>'


def _amount(micros: float, view: PageView) -> str:
    value = micros / MICROS * view.rate
    digits = 2 if abs(value) >= 1 or value == 0 else 4
    return f"{value:,.{digits}f} {escape(view.currency)}"


def _card(name: str, value: str, note: str = "") -> str:
    extra = f'<dd class="note">{note}</dd>' if note else ""
    return f'<dl class="card"><dt>{name}</dt><dd>{value}</dd>{extra}</dl>'


def _left(sums: Savings) -> str:
    if sums.sensitive_left:
        return f'<span class="bad">{sums.sensitive_left:,} of them left: please report it</span>'
    return '<span class="good">none of them left</span>' if sums.sensitive else "nothing to keep back"


def _money(view: PageView) -> str:
    sums = view.savings
    if sums is None:
        return ""
    saved = sums.saved_micros
    style = "good" if saved >= 0 else "bad"
    reference = f" at the prices of {escape(view.reference_model)}" if view.reference_model else ""
    notes = [f"One US dollar is {view.rate:g} {escape(view.currency)}"] if view.rate != 1 else []
    if sums.unpriced:
        notes.append(f"{sums.unpriced} request(s) without a known price are in no sum")
    cards = (
        _card("Saved", f'<span class="{style}">{_amount(saved, view)}</span>', "avoided − electricity − hardware"),
        _card("Cloud cost avoided", _amount(sums.avoided_micros, view), f"estimated{reference}"),
        _card("Paid to clouds", _amount(sums.cloud_micros, view), f"{sums.cloud} requests"),
        _card("Electricity", _amount(sums.electricity_micros, view), "requests and idle"),
        _card("Hardware", _amount(sums.hardware_micros, view), "loss of value"),
        _card("Sensitive requests", f"{sums.sensitive:,}", _left(sums)),
        _card("Requests", f"{sums.requests:,}", f"{sums.local} local, {sums.cloud} cloud, {sums.refused} refused"),
    )
    return (
        f'<section aria-labelledby="money"><h2 id="money">Money, last 30 days</h2>'
        f'<div class="cards">{"".join(cards)}</div><p class="dim">{"; ".join(notes)}</p></section>'
    )


def _table(title: str, name: str, heads: Iterable[tuple[str, bool]], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    numeric = [is_number for _, is_number in heads]
    head = "".join(f'<th scope="col"{_class(is_number)}>{text}</th>' for text, is_number in heads)
    body = "".join(
        "<tr>" + "".join(f"<td{_class(n)}>{cell}</td>" for cell, n in zip(row, numeric, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>'
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{name}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _class(is_number: bool) -> str:
    return ' class="n"' if is_number else ""


def _zone(zone: str | None) -> str:
    return f'<span class="{zone}">{zone}</span>' if zone in ("local", "cloud") else "-"


def _targets(view: PageView) -> str:
    def state(target: TargetRow) -> str:
        if target.held:
            return '<span class="bad">left alone after faults</span>'
        if target.failure:
            return '<span class="bad">failed</span>'
        return '<span class="good">up</span>' if target.healthy else '<span class="bad">down</span>'

    rows = (
        (
            escape(target.name),
            _zone(target.zone),
            escape(target.model),
            escape(target.ceiling),
            state(target),
            "-" if target.slots is None else f"{target.busy or 0} of {target.slots}",
            "-" if target.queue is None else str(target.queue),
            "-" if target.wait is None else f"{target.wait:.1f} s",
            "-" if target.speed is None else f"{target.speed:.0f}",
        )
        for target in view.targets
    )
    heads = (
        ("Target", False),
        ("Zone", False),
        ("Model", False),
        ("Up to label", False),
        ("State", False),
        ("Slots", True),
        ("Queue", True),
        ("Wait", True),
        ("Tokens/s", True),
    )
    return _table("Targets", "targets", heads, rows)


def _machine(view: PageView) -> str:
    cards = []
    for gpu in view.readings.gpus:
        memory = ""
        if gpu.memory_used is not None and gpu.memory_total:
            memory = f"{gpu.memory_used / 2**30:.1f} of {gpu.memory_total / 2**30:.0f} GiB"
        facts = [memory] + [
            text
            for value, text in (
                (gpu.power, f"{gpu.power or 0:.0f} W"),
                (gpu.temperature, f"{gpu.temperature or 0:.0f} °C"),
            )
            if value is not None
        ]
        load = "unknown" if gpu.utilization is None else f"{gpu.utilization:.0%}"
        cards.append(_card(escape(f"{gpu.name} {gpu.model}".strip()), load, " · ".join(fact for fact in facts if fact)))
    energy = view.readings.energy
    watts = sum(energy.watts.values())
    if energy.watts:
        kwh = sum(energy.joules.values()) / 3.6e6
        price = (
            ""
            if energy.price_per_kwh is None
            else f", {energy.price_per_kwh * view.rate:.3f} {escape(view.currency)}/kWh now"
        )
        cards.append(_card("Power now", f"{watts:.0f} W", f"{kwh:.3f} kWh since start{price}"))
    if not cards:
        return ""
    inside = f'<h2 id="gpu">GPU and power</h2><div class="cards">{"".join(cards)}</div>'
    return f'<section aria-labelledby="gpu">{inside}</section>'


def _budgets(view: PageView) -> str:
    limited = {name: budget for name, budget in view.budgets.items() if budget.limit is not None or budget.spent}
    if not limited:
        return ""
    rows = (
        (
            escape(name),
            _amount(budget.spent * MICROS, view),
            "no limit" if budget.limit is None else _amount(budget.limit * MICROS, view),
            _used(budget),
            "-" if budget.resets is None else budget.resets.strftime("%Y-%m-%d %H:%M %Z"),
        )
        for name, budget in limited.items()
    )
    heads = (("Budget", False), ("Spent and reserved", True), ("Limit", True), ("Used", True), ("Begins anew", False))
    return _table("Budgets", "budgets", heads, rows)


def _used(budget: Budget) -> str:
    if not budget.limit:
        return "-"
    share = f"{budget.spent / budget.limit:.0%}"
    return share if budget.spent < budget.limit else f'<span class="bad">{share}, spent</span>'


def _requests(view: PageView) -> str:
    def outcome(line: RequestRow) -> str:
        if line.outcome is None:
            return "running"
        if line.outcome == "ok":
            return '<span class="good">ok</span>'
        detail = f" ({escape(line.error)})" if line.error else ""
        return f'<span class="bad">{escape(line.outcome)}</span>{detail}'

    def money(line: RequestRow) -> str:
        if line.money_micros is None:
            return "-"
        word = "avoided" if line.money_micros >= 0 else "paid"
        return f"{_amount(abs(line.money_micros), view)} {word}"

    def why(line: RequestRow) -> str:
        if line.budget is not None:
            return f'{escape(line.rule)} <span class="dim">budget spent: {escape(line.budget)}</span>'
        if line.reason in ("rule", line.rule):
            return escape(line.rule)
        return f'{escape(line.rule)} <span class="dim">{escape(line.reason)}</span>'

    if not view.requests:
        return '<section aria-labelledby="requests"><h2 id="requests">Requests</h2><p>None yet.</p></section>'
    rows = (
        (
            datetime.fromtimestamp(line.at, UTC).strftime("%H:%M:%S"),
            escape(line.app),
            escape(line.model),
            f'{escape(line.label)} <span class="dim">by {escape(line.label_source)}</span>',
            f"{escape(line.target) if line.target else 'nowhere'} {_zone(line.zone) if line.target else ''}",
            why(line),
            outcome(line),
            "-" if line.tokens is None else f"{line.tokens:,}",
            f"{line.seconds:.1f} s",
            money(line),
        )
        for line in view.requests
    )
    heads = (
        ("Time", False),
        ("App", False),
        ("Asked for", False),
        ("Label", False),
        ("Went to", False),
        ("Rule", False),
        ("Outcome", False),
        ("Tokens", True),
        ("Took", True),
        ("Money", True),
    )
    return _table("Requests: where each went, and why", "requests", heads, rows)
