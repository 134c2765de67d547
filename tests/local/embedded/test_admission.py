"""What has crashed the worker twice is not given to it again, whoever asks and whatever kind of work it is."""

import pytest

from gateway.core.errors import TargetRejected
from gateway.engine.messages import Embed, Measure, SamplingSpec, Submit
from gateway.local.embedded.admission import Admission, Work
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.throughput import Throughput


def submit(number: int, tokens: bytes = b"abcd", *, repeats: tuple[int, ...] = ()) -> Submit:
    """A request for some sequences."""
    return Submit(id=number, repeats=repeats, tokens=tokens, max_tokens=1, sampling=SamplingSpec())


def crash(admission: Admission, work: Work, number: int) -> None:
    """The worker dies while this sequence of the work runs."""
    admission.admit([work])
    admission.crashed_with(frozenset({number}))
    admission.release([work])


@pytest.mark.parametrize(
    ("work", "last", "other"),
    [
        (submit(1), 1, submit(1, b"efgh")),
        (submit(1, repeats=(2, 3)), 3, submit(1, b"efgh", repeats=(2, 3))),
        (Embed(id=1, inputs=(b"abcd",)), 1, Embed(id=1, inputs=(b"efgh",))),
        (Measure(id=1, sound=b"RIFF"), 1, Measure(id=1, sound=b"ID3")),
        (Measure(id=1, width=3, height=40_000), 1, Measure(id=1, width=3, height=4)),
    ],
)
def test_work_that_crashed_the_worker_twice_is_refused(work: Work, last: int, other: Work) -> None:
    """Prompts in any of their choices, embeddings, sounds and sizes of pictures; other work goes on."""
    admission = Admission("home", EmbeddedSettings(model="m"), Throughput())
    crash(admission, work, last)
    crash(admission, work, last)
    with pytest.raises(TargetRejected, match="crashed the engine twice"):
        admission.admit([work])
    admission.admit([other])


def test_work_that_had_ended_before_the_crash_is_not_blamed() -> None:
    """Only what runs at that moment counts."""
    admission = Admission("home", EmbeddedSettings(model="m"), Throughput())
    work = submit(1, repeats=(2,))
    for _ in range(2):
        admission.admit([work])
        admission.release([work])
        admission.crashed_with(frozenset({1, 2}))
    admission.admit([work])
