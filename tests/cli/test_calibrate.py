"""`aduana calibrate`: what a token costs in energy, measured and written down."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import calibrate
from gateway.core.errors import Unavailable
from gateway.observe import GpuReading
from gateway.observe.energy.meters import Tick
from tests.cli.house import parse


@given(
    a=st.floats(0.001, 10),
    b=st.floats(0.001, 100),
    idle=st.floats(1, 300),
    prompts=st.tuples(st.integers(1000, 100_000), st.integers(1, 50)),
    answers=st.tuples(st.integers(1, 200), st.integers(1000, 50_000)),
)
def test_the_weights_of_known_loads_are_found(
    a: float, b: float, idle: float, prompts: tuple[int, int], answers: tuple[int, int]
) -> None:
    """From loads with known costs for each token, the calibration finds those costs."""

    def load(tokens: tuple[int, int]) -> calibrate.Run:
        joules = idle * 20 + a * tokens[0] + b * tokens[1]
        return calibrate.Run(seconds=20, joules=joules, prefill=tokens[0], decode=tokens[1])

    result = calibrate.solve(
        calibrate.Run(seconds=20, joules=idle * 20, prefill=0, decode=0), load(prompts), load(answers)
    )
    assert math.isclose(result.prefill_weight, a, rel_tol=1e-3, abs_tol=1e-3)
    assert math.isclose(result.decode_weight, b, rel_tol=1e-3, abs_tol=1e-3)
    assert math.isclose(result.idle_watts, idle, rel_tol=1e-9)


@pytest.mark.parametrize("joules", [0.0, 400.0])
def test_a_load_that_did_not_show_is_refused(joules: float) -> None:
    """A load that does not show in the meters is refused, rather than writing weights that are noise."""
    idle = calibrate.Run(seconds=10, joules=400, prefill=0, decode=0)
    same = calibrate.Run(seconds=10, joules=joules, prefill=1000, decode=10)
    other = calibrate.Run(seconds=10, joules=joules, prefill=10, decode=1000)
    with pytest.raises(Unavailable, match="not above idle"):
        calibrate.solve(idle, same, other)
    with pytest.raises(Unavailable, match="do not differ"):
        calibrate.solve(idle, same, same)


class Bench:
    """A clock, a meter and a machine: 50 W idle, 0.5 J a prompt token, 4 J a generated one."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pending = 0.0

    def clock(self) -> float:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.pending += 50 * seconds

    def ask(self, prompt: int, answer: int) -> Callable[[], tuple[int, int]]:
        def work() -> tuple[int, int]:
            self.pass_time(1.0)
            self.pending += 0.5 * prompt + 4 * answer
            return prompt, answer

        return work

    def read(self, elapsed: float, busy: float) -> Sequence[Tick]:
        joules, self.pending = self.pending, 0.0
        return (Tick(device="gpu0", source="counter", joules=joules),)

    def gpus(self) -> tuple[GpuReading, ...]:
        return ()

    def close(self) -> None:
        pass


def test_a_whole_calibration() -> None:
    """Idling, reading prompts and writing answers in turn, the calibration finds the machine's own figures."""
    bench = Bench()
    result = calibrate.measure(
        [bench], 10, bench.ask(2000, 1), bench.ask(8, 256), clock=bench.clock, sleep=bench.pass_time
    )
    assert result.idle_watts == pytest.approx(50)
    assert result.prefill_weight == pytest.approx(0.5)
    assert result.decode_weight == pytest.approx(4.0)
    assert result.busy_watts == pytest.approx(50 + 8 * 0.5 + 256 * 4, rel=0.1)


def test_the_result_goes_into_the_file_and_comments_stay(tmp_path: Path) -> None:
    """With --write, only the four measured settings of the file change, and its comments stay."""
    file = tmp_path / "aduana.yaml"
    file.write_text("# my house\nenergy:\n  idle_watts: 1 # guessed\n  hardware_usd: 2000\n")
    result = calibrate.Calibration(idle_watts=51.5, busy_watts=310, prefill_weight=0.4, decode_weight=3.2)
    calibrate.write(file, result)
    text = file.read_text()
    assert "# my house" in text
    assert "idle_watts: 51.5" in text
    assert "hardware_usd: 2000" in text
    assert "decode_weight: 3.2" in text
    from gateway.settings import load_settings

    assert load_settings(file).energy.decode_weight == 3.2


def test_without_a_meter_calibrate_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a meter, the command ends with exit status 2 and names the two settings that help."""
    monkeypatch.chdir(tmp_path)
    assert calibrate.run(parse(calibrate), find=lambda settings: []) == 2
    assert "energy.idle_watts" in capsys.readouterr().err
