"""`aduana explain`: how a request would be decided, rule by rule. Sends nothing; starts no model but with `--judge`."""

import argparse
import base64
import mimetypes
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.accounts.groups import Group
from gateway.app.keys.stored_keys import stored_keys
from gateway.app.offline_inspection import inspected, masked_document
from gateway.app.people.settings import groups_of
from gateway.cli.policies import chosen_windows, load
from gateway.cli.terminal import show_table
from gateway.core.attachment import data_url
from gateway.core.errors import BadRequest, ConfigurationError
from gateway.core.request import Caller, Inbound
from gateway.core.snapshot import Snapshot
from gateway.core.yaml_source import parse_yaml
from gateway.policy import Evidence, Explanation, Policy, explain
from gateway.policy.situations.synthetic import evidence_of, is_case, read_case
from gateway.privacy.decoding.contents import medium_of
from gateway.settings import Settings

_NO_REQUEST = b'{"model": "auto", "messages": [{"role": "user", "content": ""}]}'
_SHOWN = {"true": "[green]yes[/]", "false": "no", "unknown": "[yellow]unknown[/]"}


def add_parser(subparsers: Any) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "explain",
        help="show how a request would be decided, sending nothing",
        description="Inspects a request body (OpenAI chat, completion, embeddings, rerank …) and shows the decision: "
        "label, rules, targets, and what a cloud would get where the request would go out masked. A file "
        "{\"given\": {…}} is a made-up request, as 'aduana check' prints them.",
    )
    parser.add_argument(
        "request", metavar="REQUEST.json", nargs="?", default="",
        help="file with the request, or - for standard input; with --attach it may be left out",
    )  # fmt: skip
    parser.add_argument(
        "--attach", type=Path, action="append", default=[], metavar="FILE",
        help="a file, picture or recording beside the last message of a chat; may be repeated",
    )  # fmt: skip
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: here or ~/.config/aduana)")
    parser.add_argument(
        "--policy", type=Path, action="append", default=[], metavar="FILE",
        help="policy instead of the configured one; may be repeated",
    )  # fmt: skip
    parser.add_argument("--tags", default="", metavar="a,b", help="tags, as in the header x-aduana-tags")
    parser.add_argument(
        "--key", default="anonymous", metavar="NAME", help="name of the API key, or of the provider of tokens"
    )
    parser.add_argument("--user", metavar="NAME", help="the user who asks, by a token or through a front end")
    parser.add_argument(
        "--group", action="append", default=[], metavar="NAME",
        help="a group of that user's (users.groups), which may bring tags; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--judge", action="store_true",
        help="have the model of 'inspection.topics' judge the request, too (an embedded one is loaded here, "
        "also beside a running gateway)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the explanation, and return 1 where the request is refused, else 0.

    Raises:
        BadRequest: There is neither a request nor a file to attach.
    """
    if not args.request and not args.attach:
        raise BadRequest("Name a file with a request, or one to attach (--attach FILE).")
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
    body = _read(args.request) if args.request else _NO_REQUEST
    if args.attach:
        body = attached_to(body, args.attach)
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
    from gateway.wire.openai import decisions, rerank

    document = parse_object(body)
    if "messages" in document:
        request: Any = openai.parse_chat(body)
    elif "prompt" in document:
        request = openai.parse_completion(body)
    elif "questions" in document:
        request = (decisions.parse_systemone if "state" in document else decisions.parse_decisions)(body)
    elif "input" in document:
        request = openai.parse_embeddings(body)
    elif "documents" in document:
        request = rerank.parse_rerank(body)
    else:
        known = "'messages', 'prompt', 'questions', 'input' nor 'documents'"
        raise BadRequest(f"{args.request}: this is no request body: it has neither {known}.")
    stored = {one.name: one for one in stored_keys(settings)}
    key = settings.keys.get(args.key) or stored.get(args.key)
    if key is None and args.key != "anonymous" and args.key not in settings.users.providers:
        raise ConfigurationError((f"--key: the configuration has no key {args.key!r}.",))
    person = bool(args.user or args.group or args.key in settings.users.providers)
    rights = groups_of(settings).rights(args.group) if person else Group()
    own = rights.tags | (key.tags if key else frozenset())
    alias = policy.catalog.resolve(request.model)
    inbound = Inbound(
        id="explained",
        request=request,
        caller=Caller(key=args.key, user=args.user or (key.user if key else None), tags=own),
        tags=tags | own | (alias.tags if alias else frozenset()),
        size=len(body),
    )
    snapshot = Snapshot(now=datetime.now().astimezone(), prompt_tokens_estimate=estimated_tokens(request))
    return inspected(settings, inbound, snapshot, policy, judge=args.judge)


def attached_to(body: bytes, files: Sequence[Path]) -> bytes:
    """Return a chat's body with files beside its last message.

    Raises:
        BadRequest: It is no chat's.
        ConfigurationError: A file can't be read.
    """
    document = _object(body)
    messages = document.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict):
        raise BadRequest("--attach is for the body of a chat, with 'messages'.")
    said = last.get("content") or ""
    parts = said if isinstance(said, list) else [{"type": "text", "text": said}]
    last["content"] = [*parts, *(_part(file.name, _read(str(file))) for file in files)]
    return msgspec.json.encode(document)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadRequest("The request is not JSON.") from error
    return document if isinstance(document, dict) else {}


def _part(name: str, data: bytes) -> dict[str, Any]:
    """Return a file as the part that clients send it as."""
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    match medium_of(data):
        case "image":
            return {"type": "image_url", "image_url": {"url": data_url(kind, data)}}
        case "audio":
            sound = {"data": base64.b64encode(data).decode(), "format": name.rpartition(".")[2].lower() or "wav"}
            return {"type": "input_audio", "input_audio": sound}
        case _:
            return {"type": "file", "file": {"filename": name, "file_data": data_url(kind, data)}}


def _with_tags(inbound: Inbound, tags: frozenset[str]) -> Inbound:
    return msgspec.structs.replace(inbound, tags=inbound.tags | tags) if tags else inbound


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise ConfigurationError((f"{name}: can't be read: {error.strerror}.",)) from error


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
    show_table(console, _rules(explanation))
    show_table(console, _targets(explanation))
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
