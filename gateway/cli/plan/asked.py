"""What a person asks `aduana plan` for: options read, cards and models found, faults told with what is near."""

import argparse
import math
import re
from collections import Counter
from pathlib import Path

from gateway.cli.models.directory import directory_of
from gateway.cli.models.reference import label
from gateway.cli.plan.estimate import Load, Place, Subject, Wish
from gateway.cli.plan.report import Wanted
from gateway.cli.plan.words import say
from gateway.core.errors import BadRequest, ConfigurationError
from gateway.core.yaml_source import suggest
from gateway.engine.llama.gguf import Header, read_header
from gateway.local.embedded.models.files import model_path
from gateway.setup.known_cards import known_cards
from gateway.setup.known_models import known_models
from gateway.setup.machine import this_machine

CLOUDS = ("gpt-5-mini", "claude-sonnet-4-5")
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9}
_BITS = {"Q2": 3.0, "Q3": 3.9, "Q4": 4.8, "Q5": 5.7, "Q6": 6.6, "Q8": 8.5, "F1": 16.0, "BF": 16.0, "MX": 4.5, "IQ": 4.0}


def wanted(args: argparse.Namespace) -> Wanted:
    """Read the options.

    Raises:
        BadRequest: one can't be used; says which, and how to write it.
        ConfigurationError: the model's file can't be used.
    """
    subject = subject_of(args.model, directory_of(args))
    places = places_of(args.gpu)
    tokens = number(args.tokens_per_day, "--tokens-per-day")
    if not 0 <= args.prompt_share <= 1:
        raise BadRequest(say("--prompt-share is no share. Write a number between 0 and 1, as 0.75."))
    if not 0 < args.hours_on <= 24:
        raise BadRequest(say("--hours-on is not possible. A day has 24 hours."))
    if args.tariff is not None and not 0 <= args.tariff < math.inf:
        raise BadRequest(say("--tariff is no price. Write the price of a kilowatt-hour, as 0.15."))
    for name in ("context", "slots"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise BadRequest(say("{option} is not possible. Write a number above 0.", option=f"--{name} {value}"))
    return Wanted(
        subject=subject,
        places=places,
        load=Load(prompt=tokens * args.prompt_share, answer=tokens * (1 - args.prompt_share)),
        wish=Wish(context=args.context, slots=args.slots, kv=args.kv),
        clouds=tuple(args.cloud or [name for name in (subject.cloud, *CLOUDS) if name]),
        tariff=args.tariff,
        hardware=_hardware(args.hardware, len(places)),
        currency=args.currency.upper(),
        rate=_rate(args.currency.upper(), args.usd_rate),
        hours_on=args.hours_on,
    )


def number(text: str, option: str) -> float:
    """Read `2M`, `500k` or `2_000_000`.

    Raises:
        BadRequest: it is no number above 0.
    """
    match = re.fullmatch(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([kmgb]?)", text.strip().lower())
    value = float(match[1].replace("_", "")) * _UNITS[match[2]] if match else 0.0
    if value <= 0:
        raise BadRequest(
            say("{option} is not a number of tokens. Write 500k, 2M or 2000000.", option=f"{option} {text}")
        )
    return value


def places_of(names: list[str] | None) -> tuple[Place, ...]:
    """Return the cards that are named, else those of this machine.

    Raises:
        BadRequest: one is not known, or this machine has none that is.
    """
    if not names:
        return _here()
    known, found = known_cards(), []
    for text in (part.strip() for name in names for part in name.split(",") if part.strip()):
        match = re.fullmatch(r"(?:(\d)\s*x\s+)?(.+)", text, re.IGNORECASE)
        count, name = (int(match[1] or 1), match[2]) if match else (1, text)
        card = known.named(name)
        if card is None or not count:
            hint = suggest(name.lower(), [one.name for one in known.cards])
            raise BadRequest(
                say("The card {name} is not in the list.{hint} 'aduana plan --list' shows all.", name=name, hint=hint)
            )
        found.append(Place(card=card, count=count))
    return tuple(found)


def _here() -> tuple[Place, ...]:
    """Return the cards of this machine that are in the list.

    Raises:
        BadRequest: none is.
    """
    known = known_cards()
    found = [known.found_as(gpu.name, gpu.memory) for gpu in this_machine().gpus if gpu.usable]
    counts = Counter(card.name for card in found if card is not None)
    if not counts:
        raise BadRequest(say("No card of this machine is in the list. Name one: --gpu rtx-4090 ('--list' shows all)."))
    cards = {card.name: card for card in found if card is not None}
    return tuple([Place(card=cards[name], count=count) for name, count in counts.items()])


def subject_of(name: str, models_dir: Path) -> Subject:
    """Return the model of the list, of the model directory, or in a file.

    Raises:
        BadRequest: there is none of that name.
        ConfigurationError: its file can't be used.
    """
    known = known_models()
    model = known.named(name)
    if model is not None:
        header = Header(metadata=dict(model.shape), tensors=1, size=0, parts=())
        return Subject(
            name=model.name,
            title=f"{model.title} {model.quantisation}",
            header=header,
            bytes=model.bytes,
            read=model.bytes * model.read_share,
            active=model.active,
            cloud=model.cloud,
        )
    try:
        path = model_path(name, models_dir)
    except ConfigurationError as error:
        names = [one.name for one in known.models]
        hint = suggest(name.lower(), names)
        raise BadRequest(
            say(
                "There is no model {name}, neither in {directory} nor in the list.{hint} 'aduana plan --list' shows "
                "the list; a path to a GGUF file works as well.",
                name=name,
                directory=models_dir,
                hint=hint,
            )
        ) from error
    return _of_file(path)


def _of_file(path: Path) -> Subject:
    header = read_header(path)
    size = sum(part.stat().st_size for part in header.parts)
    experts, used = header.count("expert_count"), header.count("expert_used_count")
    read = size - header.experts * (1 - used / experts) if experts and used else float(size)
    bits = _BITS.get(label(path.name).removeprefix("UD-")[:2], 4.8)
    plain = Header(
        metadata=header.metadata,
        tensors=header.tensors,
        size=header.size,
        experts=header.experts,
        heads=header.heads,
        first_layer=header.first_layer,
        parts=(),  # its weights are counted by their size here
    )
    name = path.name.removesuffix(".gguf")
    return Subject(name=name, title=name, header=plain, bytes=size, read=read, active=read * 8 / bits)


def _hardware(text: str | None, count: int) -> tuple[float, ...]:
    """Return a price for each card; empty: none is named.

    Raises:
        BadRequest: they can't be read, or are not as many as cards.
    """
    if text is None:
        return ()
    try:
        prices = [float(part) for part in text.split(",")]
    except ValueError:
        prices = []
    if len(prices) not in (1, count) or min(prices) < 0:
        raise BadRequest(say("--hardware can't be used. Write one price, as 3000, or one for each card: 800,3000."))
    return tuple(prices if len(prices) == count else prices * count)


def _rate(currency: str, rate: float | None) -> float:
    """Return what a US dollar is in the currency.

    Raises:
        BadRequest: it is not said, and the currency is another.
    """
    if rate is not None and rate <= 0:
        raise BadRequest(
            say("--usd-rate is not possible. Write what a US dollar is in {currency}, as 0.86.", currency=currency)
        )
    if rate is None and currency != "USD":
        raise BadRequest(
            say("Prices of clouds are in US dollars. Say what one is in {currency}: --usd-rate 0.86", currency=currency)
        )
    return 1.0 if rate is None else rate
