"""What the worker is asked for a request: one order for each prompt, however many answers are wanted of it."""

from itertools import count

import msgspec

from gateway.engine.messages import Medium, frame
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.text.input import submits_of
from gateway.local.embedded.text.prompts import Prepared
from gateway.wire.openai import parse_completion


class Letters:
    """Vocabulary in which every token is known."""

    size = 256

    def has_all(self, tokens: object) -> bool:
        """All are."""
        return True


def submits(prompts: int, answers: int, media: tuple[Medium, ...] = ()) -> list:
    """The orders for a request of some prompts."""
    body = {"model": "m", "prompt": [[token] for token in range(prompts)], "n": answers, "seed": 7}
    prepared = Prepared(prompts=tuple((token,) for token in range(prompts)), media=media)
    return submits_of(
        parse_completion(msgspec.json.encode(body)),
        prepared,
        EmbeddedSettings(model="m"),
        Letters(),  # type: ignore[arg-type]
        isolation="a",
        seed=0,
        next_id=count(1).__next__,
    )


def test_a_picture_travels_once_whatever_the_number_of_answers() -> None:
    """A hundred answers about a picture of 2 MB take 2 MB on the way to the worker, and there."""
    (order,) = submits(1, 100, (Medium(data=b"x" * 2_000_000),))
    assert len(frame(order)) < 2_100_000
    sequences = order.sequences()
    assert {sequence.id for sequence in sequences} == set(order.ids) == set(range(1, 101))
    assert all(sequence.media is order.media for sequence in sequences)


def test_each_answer_has_a_seed_of_its_own_and_the_first_that_of_the_request() -> None:
    """So that a request with a seed is answered alike again, and its answers differ."""
    sequences = [sequence for order in submits(2, 3) for sequence in order.sequences()]
    assert [sequence.sampling.seed for sequence in sequences] == [7, 8, 9, 10, 11, 12]
    assert [sequence.tokens[0] for sequence in sequences] == [0, 0, 0, 1, 1, 1]
    assert len({sequence.id for sequence in sequences}) == 6


def test_one_answer_is_an_order_of_one_sequence() -> None:
    """The most frequent case takes no copy."""
    (order,) = submits(1, 1)
    assert order.sequences() == [order]
