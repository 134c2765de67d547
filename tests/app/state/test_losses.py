"""What the state directory had is not made anew in silence."""

import msgspec
import pytest

from gateway.app.state.losses import Found, Losses, Marker, fingerprint, losses
from gateway.ledger import LedgerIdentity

KEY = b"k" * 32
MARKER = Marker(id="state", key=fingerprint(KEY), starts=3)
THERE = Found(marker=MARKER, key=KEY, ledger=True, journal=False)
LEDGER = LedgerIdentity(id="state", key=fingerprint(KEY), starts=3, used=True)
FRESH = LedgerIdentity()
OLD = LedgerIdentity(used=True)  # of a version that claimed nothing


def changed(**fields: object) -> Found:
    """Return what is there, but for these things."""
    return msgspec.structs.replace(THERE, **fields)


@pytest.mark.parametrize(
    ("found", "ledger"),
    [
        pytest.param(THERE, LEDGER, id="all is there"),
        pytest.param(changed(marker=None), LEDGER, id="only the marker is gone"),
        pytest.param(Found(marker=None, key=None, ledger=False, journal=False), FRESH, id="a new directory"),
        pytest.param(Found(marker=None, key=KEY, ledger=True, journal=False), OLD, id="an earlier version's"),
        pytest.param(
            Found(marker=None, key=KEY, ledger=True, journal=True), FRESH, id="a first start that was cut off"
        ),
        pytest.param(THERE, msgspec.structs.replace(LEDGER, starts=4), id="a start that was cut off"),
        pytest.param(
            changed(marker=msgspec.structs.replace(MARKER, open=True), journal=True),
            LEDGER,
            id="a gateway that was killed",
        ),
    ],
)
def test_a_whole_state_has_lost_nothing(found: Found, ledger: LedgerIdentity) -> None:
    """Also a new one, one of an earlier version, and one whose gateway was killed."""
    assert not losses(found, ledger)


@pytest.mark.parametrize(
    ("found", "ledger", "says"),
    [
        pytest.param(changed(key=None), LEDGER, "taint.key) is missing", id="key missing"),
        pytest.param(changed(key=None, marker=None), LEDGER, "taint.key) is missing", id="key and marker missing"),
        pytest.param(changed(key=b""), LEDGER, "not the one that was there", id="key empty"),
        pytest.param(changed(key=bytes(32)), LEDGER, "not the one that was there", id="key zeroed"),
        pytest.param(changed(key=b"o" * 32), LEDGER, "not the one that was there", id="another key"),
        pytest.param(
            changed(key=b"o" * 32, marker=None), LEDGER, "not the one that was there", id="another, no marker"
        ),
        pytest.param(changed(key=None, marker=None), OLD, "taint.key) is missing", id="earlier version, key missing"),
        pytest.param(changed(key=KEY[:7], marker=None), OLD, "damaged", id="earlier version, key cut off"),
        pytest.param(changed(ledger=False), FRESH, "ledger is missing", id="ledger missing or zeroed"),
        pytest.param(changed(ledger=False, marker=None), FRESH, "ledger is missing", id="ledger and marker missing"),
        pytest.param(THERE, msgspec.structs.replace(LEDGER, id="other"), "another one", id="another ledger"),
        pytest.param(THERE, msgspec.structs.replace(LEDGER, starts=2), "older copy", id="an older copy"),
        pytest.param(
            changed(marker=msgspec.structs.replace(MARKER, open=True)),
            LEDGER,
            "-wal file is missing",
            id="journal removed",
        ),
        pytest.param(changed(marker=msgspec.structs.replace(MARKER, lost=True)), LEDGER, "has lost", id="lost before"),
    ],
)
def test_what_is_gone_is_said(found: Found, ledger: LedgerIdentity, says: str) -> None:
    """With what still works and what to do."""
    lost = losses(found, ledger)
    assert lost
    sentence = lost.sentence()
    assert says in sentence
    assert "nothing goes to a cloud" in sentence
    assert "--accept-loss" in sentence


def test_nothing_lost_is_nothing() -> None:
    """An empty account of losses counts as none."""
    assert not Losses()
