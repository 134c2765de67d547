"""Clean texts that machines write: ids, hashes, coordinates, logs, tables of numbers. Made from dice, for training."""

import json
import random
import uuid
from collections.abc import Callable, Iterator

from gateway.privacy.sensitivity.train.texts import Text

_HEX, _SMALL = "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz0123456789"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOUNS = ("web", "api", "worker", "cache", "parser", "queue", "gateway", "build", "report", "index", "render", "sync")
_LEVELS = ("INFO", "DEBUG", "WARN", "ERROR")


def machine_texts(count: int, seed: int) -> Iterator[Text]:
    """Yield so many texts, all of them clean."""
    dice = random.Random(seed)
    kinds = (_commands, _hashes, _coordinates, _log, _numbers, _record, _lock_file, _listing, _paths, _versions)
    for number in range(count):
        kind = "docs" if number % 4 == 0 else "code"
        yield Text(writer="machines", sensitive=False, kind=kind, form="log", language="en-US",
                   text=kinds[number % len(kinds)](dice))  # fmt: skip


def _letters(dice: random.Random, alphabet: str, count: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(count))


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(bytes=dice.randbytes(16), version=4))


def _pod(dice: random.Random) -> str:
    return f"{dice.choice(_NOUNS)}-{_letters(dice, _HEX, dice.choice((8, 9, 10)))}-{_letters(dice, _SMALL, 5)}"


def _commands(dice: random.Random) -> str:
    return dice.choice((
        f"kubectl get pod {_pod(dice)} -o yaml",
        f"docker logs --tail {dice.randrange(20, 500)} {_letters(dice, _HEX, 12)}",
        f"git cherry-pick {_letters(dice, _HEX, 40)} && git push origin HEAD:fix-{dice.randrange(999)}",
        f"aws s3 cp s3://{dice.choice(_NOUNS)}-artifacts/{_uuid(dice)}/part-{dice.randrange(99):05}.parquet .",
        f"arn:aws:lambda:eu-west-1:000000000000:function:{dice.choice(_NOUNS)}-{dice.choice(_NOUNS)}",
        f"What is job {_uuid(dice)} waiting for? It says Pending on {_pod(dice)}.",
        f"pip install {dice.choice(_NOUNS)}=={dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(9)} "
        f"--hash=sha256:{_letters(dice, _HEX, 64)}",
    ))  # fmt: skip


def _hashes(dice: random.Random) -> str:
    return "\n".join(f"{_letters(dice, _HEX, dice.choice((32, 40, 64)))}  {dice.choice(_NOUNS)}.tar.gz"
                     for _ in range(dice.randrange(1, 6)))  # fmt: skip


def _coordinates(dice: random.Random) -> str:
    places = [f"{dice.uniform(-80, 80):.6f}, {dice.uniform(-180, 180):.6f}" for _ in range(dice.randrange(1, 6))]
    return dice.choice(("; ", "\n")).join(places)


def _log(dice: random.Random) -> str:
    def line() -> str:
        day = f"20{dice.randrange(20, 30)}-0{dice.randrange(1, 9)}-1{dice.randrange(9)}"
        time = f"0{dice.randrange(9)}:1{dice.randrange(9)}:2{dice.randrange(9)}.{dice.randrange(999):03}Z"
        what = f"{dice.choice(_NOUNS)} {dice.choice(('took', 'retried after', 'finished in', 'waits for'))}"
        much = f"{dice.randrange(10 ** dice.randrange(2, 8))} {dice.choice(('ns', 'ms', 'bytes', 'rows'))}"
        return f"{day}T{time} {dice.choice(_LEVELS)} {what} {much}"

    return "\n".join(line() for _ in range(dice.randrange(1, 8)))


def _numbers(dice: random.Random) -> str:
    return "\n".join(
        ",".join(str(dice.choice((dice.randrange(10**6), round(dice.uniform(-1, 1), 4)))) for _ in range(5))
        for _ in range(dice.randrange(1, 12))
    )


def _record(dice: random.Random) -> str:
    trace = f"00-{_letters(dice, _HEX, 32)}-{_letters(dice, _HEX, 16)}-01"
    return json.dumps({"request_id": f"req_{_letters(dice, _HEX, 24)}", "count": dice.randrange(9999), "trace": trace})


def _lock_file(dice: random.Random) -> str:
    return "\n".join(
        f"example.org/{dice.choice(_NOUNS)}/{dice.choice(_NOUNS)} v{dice.randrange(3)}.{dice.randrange(40)}.0 "
        f"h1:{_letters(dice, _BASE64, 43)}="
        for _ in range(dice.randrange(1, 6))
    )


def _listing(dice: random.Random) -> str:
    return "\n".join(
        f"-rw-r--r-- 1 root root {dice.randrange(10**7):8} Jan {dice.randrange(1, 28):2} 0{dice.randrange(9)}:15 "
        f"{dice.choice(_NOUNS)}_{dice.randrange(99)}.{dice.choice(('py', 'go', 'csv', 'md', 'so'))}"
        for _ in range(dice.randrange(2, 8))
    )


def _paths(dice: random.Random) -> str:
    lines = [f"{dice.choice(_NOUNS)}/{dice.choice(_NOUNS)}/{_pod(dice)}.{dice.choice(('js', 'ts', 'map', 'css'))}"
             for _ in range(dice.randrange(1, 6))]  # fmt: skip
    if dice.random() < 0.5:
        lines.insert(0, f"index {_letters(dice, _HEX, 7)}..{_letters(dice, _HEX, 7)} 100644")
    return "\n".join(lines)


def _versions(dice: random.Random) -> str:
    made: list[Callable[[], str]] = [
        lambda: f"{dice.randrange(20)}.{dice.randrange(20)}.{dice.randrange(20)}",
        lambda: (
            f"ISBN 978-{dice.randrange(10)}-{dice.randrange(10, 99)}-{dice.randrange(10**6):06}-{dice.randrange(10)}"
        ),
        lambda: f"RFC {dice.randrange(1, 9999)}",
        lambda: f"10.{dice.randrange(1000, 9999)}/{_letters(dice, _SMALL, 8)}",
    ]
    return ", ".join(dice.choice(made)() for _ in range(dice.randrange(2, 7)))
