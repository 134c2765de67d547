"""What `aduana plan` says, in the language of whoever reads it."""

import math
import os
from typing import assert_never

from gateway.cli.plan.estimate import Advice
from gateway.cli.plan.spanish import SPANISH
from gateway.core.translation import Translator, language_from_locale


def say(sentence: str, **values: object) -> str:
    """Return an English sentence in the language that the environment asks for, with these values in its places."""
    return Translator(SPANISH, language_from_locale(os.environ))(sentence, **values)


def told(months: float | None) -> str:
    """Return months in words: rounded up, in years beyond five of them."""
    if months is None:
        return say("never")
    if months > 1200:
        return say("over 100 years")
    if months > 60:
        return say("{count} years", count=f"{months / 12:.0f}")
    whole = max(1, math.ceil(months))
    return say("1 month") if whole == 1 else say("{count} months", count=whole)


def advised(advice: Advice) -> str:
    """Return what would make a model fit."""
    size = f"{advice.gigabytes:.1f}"
    match advice.kind:
        case "narrower":
            return say("Turn down --context or --slots.")
        case "smaller_cache":
            return say("It fits with --kv q8_0, which halves the KV cache.")
        case "more_memory":
            return say("It wants a card with more memory.")
        case "smaller_file":
            return say("A quantisation of at most {size} GB would fit.", size=size)
        case "smaller_file_or_layers":
            return say(
                "A quantisation of at most {size} GB would fit, or 'gpu_layers: {layers}' of {of}: the rest stays in "
                "RAM, and it is several times slower.",
                size=size,
                layers=advice.layers,
                of=advice.of,
            )
        case _:
            assert_never(advice.kind)
