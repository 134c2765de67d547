"""`aduana plan`: whether a model fits a card, how fast it is to be expected, what it costs, and when it is paid back.

Computes from data sheets and price lists: nothing is measured here, and nothing is asked of a network.
"""

import argparse
import json
import sys
import time
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    text = "Compute whether a model fits cards, its expected speed, what it costs beside clouds, and when it pays back."
    parser = subparsers.add_parser("plan", help="what a card can run, how fast, at what cost", description=text)
    parser.add_argument(
        "--gpu",
        action="append",
        metavar="NAME",
        help="card, as rtx-4090 or 2x rtx-3090; several: repeat it, or commas (default: the cards of this machine)",
    )
    parser.add_argument(
        "--model", default="qwen3.6-27b-q4", help="name of 'aduana models pull', of the model directory, or a GGUF file"
    )
    parser.add_argument("--tokens-per-day", default="1M", metavar="N", help="as 500k or 2M, in all (1M)")
    parser.add_argument(
        "--prompt-share", type=float, default=0.75, metavar="SHARE", help="part of them in prompts (default: 0.75)"
    )
    parser.add_argument("--tariff", type=float, default=None, metavar="PRICE", help="of a kilowatt-hour, tax included")
    parser.add_argument("--hardware", metavar="PRICE", help="what is to be paid back: one price, or one for each card")
    parser.add_argument("--currency", default="USD", help="of --tariff and --hardware (default: USD)")
    parser.add_argument(
        "--usd-rate",
        type=float,
        metavar="RATE",
        help="what a US dollar is in that currency, as 0.86; prices of clouds are in dollars",
    )
    parser.add_argument("--hours-on", type=float, default=24.0, metavar="H", help="hours a day it runs (24)")
    parser.add_argument("--context", type=int, help="window in tokens (default: as wide as fits)")
    parser.add_argument("--slots", type=int, help="requests at once (default: as many as fit, at most 8)")
    parser.add_argument("--kv", default="f16", choices=["f16", "q8_0", "q4_0"], help="storage of the KV cache")
    parser.add_argument("--cloud", action="append", metavar="MODEL", help="compare with it; repeat for more")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw a picture")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--list", action="store_true", help="show the cards and models that are known")
    parser.add_argument("--models-dir", type=Path, metavar="DIR", help="model directory (default: as configured)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: aduana.yaml here, if any)")


def run(args: argparse.Namespace) -> int:
    """Show the plan; return 0, or 1 where the model fits none of the cards.

    Raises:
        BadRequest: an option can't be used, or the picture can't be written.
        ConfigurationError: the model's file can't be used.
    """
    from gateway.cli.plan.asked import wanted
    from gateway.cli.plan.known import show_known
    from gateway.cli.plan.picture import drawn
    from gateway.cli.plan.report import as_json, planned
    from gateway.cli.plan.table import show
    from gateway.cli.plan.words import say
    from gateway.core.errors import BadRequest

    if args.list:
        show_known()
        return 0
    plan = planned(wanted(args), time.time())
    if args.svg is not None:
        try:
            args.svg.write_text(drawn(plan), encoding="utf-8")
        except OSError as error:
            raise BadRequest(say("{file} can't be written: {why}.", file=args.svg, why=error.strerror)) from error
    if args.json:
        json.dump(as_json(plan), sys.stdout, indent=2)
        print()
    else:
        show(plan)
        if args.svg is not None:
            print(say("The picture is in {file}.", file=args.svg))
    return 0 if any(one.fit.fits for one in plan.cards) else 1
