"""What the options of `aduana keys` mean."""

import argparse
from datetime import UTC, datetime

import pytest

from gateway.accounts.keys import StoredKey
from gateway.cli.keys import asked
from gateway.core.errors import BadRequest
from gateway.core.limits import Limits

KEY = StoredKey(name="n8n", user="maria", tags=frozenset({"health"}), models=frozenset({"home"}))
NOON = 1_795_435_200.0  # 2026-11-23 12:00 UTC


def options(**given):
    """Return options as the command line gives them; those that are not given are not there."""
    names = ("user", "tags", "models", "expires", "admin", "metrics", "front_end", "rpm", "tpm", "tpd", "parallel")
    return argparse.Namespace(**{**dict.fromkeys(names), "budget": [], **given})


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("12h", NOON + 43_200),
        ("90d", NOON + 90 * 86_400),
        (" 2w ", NOON + 14 * 86_400),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC).timestamp()),
    ],
)
def test_when_a_key_ends(text, end):
    """A span counts from now on, a day from its beginning."""
    assert asked.ending(text, NOON, UTC) == end


@pytest.mark.parametrize("text", ["", "90", "soon", "-1d", "2026-11-23", "2026-02-30", "0d", "3 days"])
def test_an_end_that_is_none(text):
    """What is no time, or past, is refused and quoted."""
    with pytest.raises(BadRequest, match="--expires"):
        asked.ending(text, NOON, UTC)


def test_limits():
    """Money is for a day or a month, each at most once; what is not said stays, and 'none' takes away."""
    whole = asked.limits(Limits(parallel=3), ["5/month", "0.50 / day"], {"rpm": "60", "tpm": None, "tpd": "90000"})
    assert whole == Limits(usd_day=0.5, usd_month=5.0, requests_per_minute=60, tokens_per_day=90_000, parallel=3)
    assert asked.limits(whole, ["none", "1/day"], {"rpm": "none", "parallel": "none"}) == Limits(
        usd_day=1.0, tokens_per_day=90_000
    )
    assert asked.limits(whole, [], {}) == whole


@pytest.mark.parametrize(
    "budgets", [["5"], ["5/week"], ["five/day"], ["-1/day"], ["1/day", "2/day"], ["nan/day"], ["1e9/day"]]
)
def test_budgets_that_are_none(budgets):
    """What can't be read, or is said twice, is refused."""
    with pytest.raises(BadRequest, match="--budget"):
        asked.limits(Limits(), budgets, {})


@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5", "", "9" * 20])
def test_numbers_that_allow_nothing(count):
    """A limit of nothing is no limit but a revoked key, which is another command."""
    with pytest.raises(BadRequest, match=r"--tpm .* from 1 on"):
        asked.limits(Limits(), [], {"tpm": count})


@pytest.mark.parametrize("text", ["", " ", "\t"])
@pytest.mark.parametrize("option", ["--tags", "--models", "--user"])
def test_a_variable_that_is_not_set_takes_nothing_away(option, text):
    """Without its tags a key's requests could go to a cloud, without its models it could ask for all of them."""
    with pytest.raises(BadRequest, match=f"{option}.*'none'"):
        asked.changed(KEY, options(**{option[2:]: text}), NOON, UTC)
    assert asked.changed(KEY, options(**{option[2:]: "none"}), NOON, UTC) != KEY


def test_a_key_names_the_person_that_a_token_would():
    """Blanks around a name make nobody else of it."""
    assert asked.changed(KEY, options(user=" ana "), NOON, UTC).user == "ana"


@pytest.mark.parametrize("text", ["N8N", "n 8n", "", "-n", "n" * 65, "ñ", "a/b", "a\n"])
def test_names_that_are_none(text):
    """A name is one that policies and the ledger can carry."""
    with pytest.raises(BadRequest, match="--app"):
        asked.name(text, "--app")
