"""`aduana explain`: how a request would be decided, rule by rule. Sends nothing; starts no model but with `--judge`."""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.app.offline_inspection import inspected, masked_document
from gateway.cli.policies import chosen_windows, load
from gateway.core.errors import BadRequest, ConfigurationError
from gateway.core.request import Caller, Inbound
from gateway.core.snapshot import Snapshot
from gateway.core.yaml_source import parse_yaml
from gateway.policy import Evidence, Explanation, Policy, explain
from gateway.policy.situations.synthetic import evidence_of, is_case, read_case
from gateway.settings import Settings

_SHOWN = {"true": "[green]yes[/]", "false": "no", "unknown": "[yellow]unknown[/]"}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "explain",
        help="show how a request would be decided, sending nothing",
        description="Inspects a request body (OpenAI chat, completion, embeddings, rerank) and shows the decision: "
        "label, rules, targets, and what a cloud would get where the request would go out masked. A file "
        "{\"given\": {…}} is a made-up request, as 'aduana check' prints them.",
    )
    parser.add_argument("request", metavar="REQUEST.json", help="file with the request, or - for standard input")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml if there is one)"
    )
    parser.add_argument(
        "--policy", type=Path, action="append", default=[], metavar="FILE",
        help="policy instead of the configured one; may be repeated",
    )  # fmt: skip
    parser.add_argument("--tags", default="", metavar="a,b", help="tags, as in the header x-aduana-tags")
    parser.add_argument("--key", default="anonymous", metavar="NAME", help="name of the API key that asks")
    parser.add_argument(
        "--judge", action="store_true",
        help="have the model of 'inspection.topics' judge the request, too (an embedded one is loaded here, "
        "also beside a running gateway)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the explanation, and return 1 where the request is refused, else 0."""
    settings, policy = load(args.config, args.policy)
    evidence = _evidence(args, settings, policy)
    real = bool(evidence.inbound.request.document)
    masked = masked_document(settings, evidence, policy, judge=args.judge) if real else None
    explanation = explain(evidence, policy, masks=not real or masked is not None)
    if args.json:
        extra = {} if masked is None else {"masked_document": masked}
        print(msgspec.json.encode({**msgspec.structs.asdict(explanation), **extra}).decode())
        return 1 if explanation.refusal else 0
    console = Console(file=sys.stdout, highlight=False)
    show(explanation, console)
    if windows := chosen_windows(settings, policy.catalog):
        console.print(escape(windows), soft_wrap=True)
    topics = settings.inspection.topics
    if real and topics is not None and not args.judge and not explanation.refusal:
        console.print(
            f"\n'inspection.topics': where this would leave, the gateway also asks the model of {topics.target!r} "
            "what it is about. That was not done here; --judge does it."
        )
    if masked is not None:
        console.print("\nA cloud target would get this (another time with other pseudonyms):")
        console.print(escape(msgspec.json.format(msgspec.json.encode(masked)).decode()), soft_wrap=True)
    return 1 if explanation.refusal else 0


def _evidence(args: argparse.Namespace, settings: Settings, policy: Policy) -> Evidence:
    body = _read(args.request)
    tags = frozenset(tag.strip().lower() for tag in args.tags.split(",") if tag.strip())
    if b'"given"' in body[:200] or b"given:" in body[:200]:
        source = parse_yaml(body.decode("utf-8", "replace"), args.request)
        if is_case(source):
            made_up = evidence_of(read_case(source, policy), policy.catalog)
            return msgspec.structs.replace(made_up, inbound=_with_tags(made_up.inbound, tags))
    return _real(args, body, tags, settings, policy)


def _real(args: argparse.Namespace, body: bytes, tags: frozenset[str], settings: Settings, policy: Policy) -> Evidence:
    """Inspect a real request body. The time is now; load, health and budgets are unknown.

    Raises:
        BadRequest: The file is no request body.
        ConfigurationError: The configuration has no key of the given name.
    """
    from gateway.pipeline.snapshot import estimated_tokens
    from gateway.wire import openai
    from gateway.wire.json_body import parse_object
    from gateway.wire.openai import rerank

    document = parse_object(body)
    if "messages" in document:
        request: Any = openai.parse_chat(body)
    elif "prompt" in document:
        request = openai.parse_completion(body)
    elif "input" in document:
        request = openai.parse_embeddings(body)
    elif "documents" in document:
        request = rerank.parse_rerank(body)
    else:
        known = "'messages', 'prompt', 'input' nor 'documents'"
        raise BadRequest(f"{args.request}: this is no request body: it has neither {known}.")
    key = settings.keys.get(args.key)
    if key is None and args.key != "anonymous":
        raise ConfigurationError((f"--key: the configuration has no key {args.key!r}.",))
    alias = policy.catalog.resolve(request.model)
    inbound = Inbound(
        id="explained",
        request=request,
        caller=Caller(key=args.key, user=key.user if key else None, tags=key.tags if key else frozenset()),
        tags=tags | (key.tags if key else frozenset()) | (alias.tags if alias else frozenset()),
        size=len(body),
    )
    snapshot = Snapshot(now=datetime.now().astimezone(), prompt_tokens_estimate=estimated_tokens(request))
    return inspected(settings, inbound, snapshot, policy, judge=args.judge)


def _with_tags(inbound: Inbound, tags: frozenset[str]) -> Inbound:
    return msgspec.structs.replace(inbound, tags=inbound.tags | tags) if tags else inbound


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ConfigurationError((f"{name}: can't be read: {error}.",)) from error


def show(explanation: Explanation, console: Console) -> None:
    """Print the explanation for a person."""
    if explanation.refusal:
        console.print(f"[bold red]refused ({explanation.refusal_status})[/]  {escape(explanation.refusal)}")
    else:
        first, *others = explanation.candidates
        then = f", then {', '.join(others)}" if others else ""
        console.print(f"[bold green]{first}[/]{then}  (rule: {escape(explanation.chosen_by)})")
    console.print(f"\nlabel [bold]{explanation.label}[/] (from {explanation.label_source})")
    for step in explanation.label_steps:
        console.print(f"  · {escape(step)}")
    if explanation.tags:
        console.print(f"tags  {', '.join(explanation.tags)}")
    console.print(f"model {escape(explanation.alias)} · policy {explanation.policy_digest}\n")
    console.print(_rules(explanation))
    console.print(_targets(explanation))
    if explanation.masked is not None:
        console.print(f"goes to the cloud masked: {', '.join(explanation.masked) or 'nothing found in this turn'}")
    for line in explanation.overrides:
        console.print(f"set {line.name}: {escape(line.value)}")


def _rules(explanation: Explanation) -> Table:
    table = Table("rule", "holds", "facts", "what it did", title_justify="left", expand=False)
    for rule in explanation.rules:
        facts = "\n".join(f"{fact.name}: {fact.value}" for fact in rule.facts)
        table.add_row(escape(f"{rule.name}\n{rule.place}"), _SHOWN[rule.condition], escape(facts), escape(rule.effect))
    used = "chose the order of targets" if explanation.chosen_by == "otherwise" else ""
    table.add_row("otherwise", "", "", used or escape(", ".join(explanation.otherwise)))
    return table


def _targets(explanation: Explanation) -> Table:
    table = Table("target", "zone", "ceiling", "place", "why not")
    for target in explanation.targets:
        place = f"[green]{target.position}[/]" if target.position else "-"
        table.add_row(target.name, target.zone, target.ceiling, place, escape(target.reason))
    return table
