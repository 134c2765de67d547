"""What the judge costs: the first look at 4 KB, the second, the next turn of a conversation, load time and memory."""

import statistics
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path

from gateway.privacy.sensitivity.encoder import WEIGHTS
from gateway.privacy.sensitivity.judge import Judge
from gateway.privacy.sensitivity.train.texts import Text
from gateway.privacy.sensitivity.units import units
from tests.bench.privacy.own import System
from tests.bench.privacy.shares import table

_PIECE = 4_096
_PIECES = 40
_TURNS = 100
_TIMED = 12  # pieces of each column


def print_tiers(texts: Sequence[Text], columns: Sequence[System]) -> None:
    """Print milliseconds of CPU for a KB that is new, in pieces of 4 KB."""
    rows = []
    for column in columns:
        column.flags("Hello, how are you today?", False)
        spent = []
        for piece in _pieces(texts)[:_TIMED]:
            column.forget()
            spent.append(_milliseconds(lambda piece=piece, column=column: column.flags(piece, False)) / (_PIECE / 1024))
        rows.append([column.name, *_quantiles(spent)])
    print("\n**Milliseconds of CPU for a KB of new text**\n")
    table(["", "p50", "p90"], rows)


def _pieces(texts: Sequence[Text]) -> list[str]:
    prose = "\n\n".join(text.text for text in texts)
    return [prose[at : at + _PIECE] for at in range(0, len(prose) - _PIECE, _PIECE)][:_PIECES]


def _quantiles(spent: Sequence[float]) -> tuple[str, str]:
    return f"{statistics.median(spent):.2f}", f"{sorted(spent)[int(len(spent) * 0.9)]:.2f}"


def print_lines(texts: Sequence[Text]) -> None:
    """Print milliseconds of CPU, and what a process has in memory before and after the first judgement."""
    pieces = _pieces(texts)
    judge = Judge(seconds=600.0)
    judge.warm()
    judge.judge(["Hello, how are you today?"])
    new = [_milliseconds(lambda piece=piece: judge.judge([piece])) for piece in pieces]
    known = [_milliseconds(lambda piece=piece: judge.judge([piece])) for piece in pieces]
    turns = [(f"$.messages[{number}].content", text.text) for number, text in enumerate(texts)]
    turned = []
    for last in range(_TURNS, min(len(turns), 2 * _TURNS)):
        before = units(turns[last - _TURNS : last])
        judge.judge([unit.text for unit in before])
        after = units(turns[last - _TURNS : last + 1])
        turned.append(_milliseconds(lambda after=after: judge.judge([unit.text for unit in after])))
    alone = Judge(seconds=600.0)
    single = [_milliseconds(lambda text=text: alone.judge([text])) for _, text in turns[_TURNS : 2 * _TURNS]]
    with get_context("spawn").Pool(1) as pool:
        seconds, before_kib, after_kib = pool.apply(_loading, (pieces[0],))
    print("\n**The judge: milliseconds of CPU**\n")
    table(
        ["", "p50", "p90"],
        [
            ["4 KB, seen for the first time", *_quantiles(new)],
            ["a KB of them", *_quantiles([one / (_PIECE / 1024) for one in new])],
            ["the same 4 KB, known", *_quantiles(known)],
            [f"a turn after {_TURNS} known ones", *_quantiles(turned)],
            ["the same turn alone", *_quantiles(single)],
        ],
    )
    files = sum(file.stat().st_size for file in WEIGHTS.iterdir())
    print(
        f"\nLoading takes {seconds:.2f} s of CPU. Resident memory goes from {before_kib // 1024} "
        f"to {after_kib // 1024} MiB at the first judgement (of 4 KB); the files have {files / 1e6:.0f} MB."
    )


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _loading(text: str) -> tuple[float, int, int]:
    before = _resident()
    began = time.process_time()
    judge = Judge(seconds=600.0)
    judge.warm()
    spent = time.process_time() - began
    judge.judge([text])
    return spent, before, _resident()


def _resident() -> int:
    """Return this process' resident memory in KiB; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
