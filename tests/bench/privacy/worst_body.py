"""What the worst body of a size costs: parsing and inspection together, as the gateway does them.

Run: `python -m tests.bench.privacy.worst_body [--mib 32] [--whole] [--only NAME …]`. Each kind is as large as it is
accepted (of values there are at most 500,000), and runs in a process of its own: CPU seconds of parsing and of
inspection, and the most memory above what the process had with the body.
"""

import argparse
import base64
import json
import os
import random
import re
import resource
import sys
import time
import zlib
from collections.abc import Callable
from multiprocessing import get_context

from gateway.core.errors import AduanaError
from gateway.privacy import Inspector
from gateway.wire.json_body import MOST_VALUES, parse_object

_MIB = 1 << 20


def _filled(head: str, piece: str, tail: str, size: int) -> bytes:
    return (head + piece * ((size - len(head) - len(tail)) // len(piece)) + tail).encode()


def _listed(item: str) -> Callable[[int], bytes]:
    return lambda size: _filled('{"x":[', f"{item},", f"{item}]}}", size)


def _numbered(size: int, write: Callable[[int], str], opening: str = '{"x":[', closing: str = "]}") -> bytes:
    count = size // (len(write(10**6)) + 1)
    return (opening + ",".join(map(write, range(10**6, 10**6 + count))) + closing).encode()


def _nested(size: int) -> bytes:
    inner = "[" * 150 + "]" * 150
    return _listed(inner)(size)


def _messages(size: int) -> bytes:
    return _numbered(size, lambda n: f'{{"role":"user","content":"text {n} of many 1234"}}', '{"messages":[')


def _blobs(size: int) -> bytes:
    draw = random.Random(1)
    return _numbered(size, lambda n: f'"{base64.b64encode(draw.randbytes(60)).decode()}"')


def _bombs(size: int) -> bytes:
    bomb = base64.b64encode(zlib.compress(b"\n" * 999_000, 9)).decode()
    return _listed(f'"{bomb}"')(size)


KINDS: dict[str, Callable[[int], bytes]] = {
    "ones": _listed("1"),
    "numbers of 7 digits": lambda size: _numbered(size, str),
    "short strings, all the same": _listed('"abcd"'),
    "short strings, all different": lambda size: _numbered(size, lambda n: f'"{n}"'),
    "empty arrays": _listed("[]"),
    "empty objects": _listed("{}"),
    "small objects": _listed('{"a":1}'),
    "nested arrays": _nested,
    "keys": lambda size: _numbered(size, lambda n: f'"{n}":1', "{", "}"),
    "messages": _messages,
    "parts that are pictures": lambda size: _filled(
        '{"messages":[{"role":"user","content":[', '{"type":"image_url"},', '{"type":"image_url"}]}]}', size
    ),
    "groups of numbers": _listed("[4111,1111,1111,1112]"),
    "pieces of numbers": _listed('"41a1"'),
    "JSON in a string": lambda size: json.dumps({"x": "[" + "[1]," * (size // 4 - 9) + "1]"}).encode(),
    "one long text": lambda size: _filled('{"x":"', "The quick brown fox has 12 names. ", '"}', size),
    "lists in a text": lambda size: _filled('{"x":"', "see [4111,1111,1111,1112] ", '"}', size),
    "base64 in one piece": lambda size: _filled('{"x":"', "QUJDREVGR0hJSktMTU5P", '"}', size),
    "base64 in pieces": _blobs,
    "base64 of bombs": _bombs,
    "lines of uuencode": lambda size: _filled('{"x":"', "begin 644 x\\nM1234\\n", '"}', size),
    "words of base85": lambda size: _filled('{"x":"', "A1b2#C3d4$E5f6%G7h8&", '"}', size),
    "numbers in a text": lambda size: _filled('{"x":"', "12, 240, ", '1"}', size),
    "pairs of hexadecimal": lambda size: _filled('{"x":"', "41 ", '41"}', size),
    "short lines of letters": lambda size: _filled('{"x":"abcdefghij', "\\nab1D", '"}', size),
    "empty lines": lambda size: _filled('{"x":"', "\\n", '"}', size),
    "lines of digits": lambda size: _filled('{"x":"', "12\\n", '"}', size),
    "look-alike letters": lambda size: _filled('{"x":"', "\u0430 ", '"}', size // 2),
    "spaced letters": lambda size: _filled('{"x":"', "1 ", '"}', size),
    "escapes": lambda size: _filled('{"x":"', "%41%42=C3=A9", '"}', size),
}


def _accepted(name: str, size: int) -> int:
    """Return the largest size of a kind, up to `size`, that has no more values than a body may have."""
    sample = KINDS[name](_MIB)
    values = sum(map(re.sub(rb'"[^"\\]*(?:\\.[^"\\]*)*"', b"", sample).count, (b",", b":", b"[", b"{")))
    return size if values < 1000 else min(size, int(0.98 * MOST_VALUES * len(sample) / values))


def _measure(name: str, size: int, *, accepted: bool) -> str:
    size = _accepted(name, size) if accepted else size
    inspector = Inspector()
    inspector.inspect({"x": "warm 12345678Z"})
    body = KINDS[name](size)
    name = f"{name}, {len(body) / _MIB:.1f} MiB"
    before = _peak_reset()
    began = time.process_time()
    try:
        document = parse_object(body)
    except AduanaError as error:
        return f"| {name} | {time.process_time() - began:.2f} | | {_peak() - before} | {error.status} {error.code} |"
    parsed = time.process_time()
    inspection = inspector.inspect(document)
    done = time.process_time()
    said = ", ".join(sorted({doubt.reason for doubt in inspection.doubts})) or "none"
    found = f", {len(inspection.findings)} findings" if inspection.findings else ""
    return f"| {name} | {parsed - began:.2f} | {done - parsed:.2f} | {_peak() - before} | {said}{found} |"


def _peak_reset() -> int:
    """Begin a new highest mark of this process' memory, where the system can; return today's use in MiB."""
    if sys.platform == "linux":
        with open("/proc/self/clear_refs", "w", encoding="ascii") as marks:
            marks.write("5")
    return _peak()


def _peak() -> int:
    if sys.platform == "linux":
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if os.name == "posix" else 1)


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--mib", type=int, default=32, help="size of the body (default 32, the gateway's own limit)")
    parser.add_argument("--whole", action="store_true", help="of that size, also where such a body is refused")
    parser.add_argument("--only", nargs="*", default=list(KINDS), help="kinds, by their names in the table")
    arguments = parser.parse_args()
    print("| body | parsing, s | inspection, s | memory above, MiB | doubts |\n|---|---:|---:|---:|---|", flush=True)
    context = get_context("spawn")
    for name in arguments.only:
        with context.Pool(1) as pool:
            print(pool.apply(_measure, (name, arguments.mib * _MIB), {"accepted": not arguments.whole}), flush=True)


if __name__ == "__main__":
    main()
