"""Texts that no detector finds anything in, each another one: only memory can keep them at home."""

import random

_WHO = ("the older gardener", "our neighbour", "the man with the ladder", "her cousin", "the whole choir",
        "a tall visitor", "the baker's boy", "everyone upstairs", "the new tenant", "my uncle")  # fmt: skip
_DID = ("carried the green boxes", "painted both shutters", "counted the empty chairs", "left a folded map",
        "watered the lemon trees", "waited for the late ferry", "mended the garden gate", "rehearsed the slow part",
        "hid the copper kettle", "measured the old staircase")  # fmt: skip
_WHERE = ("behind the chapel", "next to the mill", "at the far end of the pier", "under the walnut tree",
          "in the room with the piano", "along the dry river", "outside the closed cinema", "near the second bridge",
          "above the shop", "beside the stone wall")  # fmt: skip
_WHEN = ("before the rain began", "while nobody was looking", "as soon as the lamps were lit", "during the long lunch",
         "when the bells had stopped", "after the second whistle", "shortly before dawn", "once the guests were gone",
         "in spite of the wind", "without a word to anyone")  # fmt: skip
_SYLLABLES = ("ba", "cor", "del", "fi", "gan", "hol", "ja", "kel", "lum", "mi", "nor", "pa", "quin", "ro", "sal",
              "tu", "ver", "zo")  # fmt: skip

_SYLLABLES_OF_A_WORD = 6  # 34 million words: of ten thousand stories no two have a line in common


def coined(name: str) -> str:
    """Return a word that is in no dictionary: without such words, stories of the same few phrases would be the same."""
    return _coined(random.Random(name))  # noqa: S311 - a made-up word, no secret


def _coined(draw: random.Random) -> str:
    return "".join(draw.choice(_SYLLABLES) for _ in range(_SYLLABLES_OF_A_WORD))


def clauses(name: str, count: int = 6) -> list[str]:
    """Return short pieces of a story, each of 40 letters and more; another name is another story."""
    draw = random.Random(name)  # noqa: S311 - a made-up text, no secret
    return [
        f"{draw.choice(_WHO)} {draw.choice(_DID)} of {_coined(draw)} {draw.choice(_WHERE)}, "
        f"{('and', 'so', 'then')[place % 3]} {_coined(draw)} went {draw.choice(_WHEN)}"
        for place in range(count)
    ]


def story(name: str, count: int = 4) -> str:
    """Return a story of about 100 letters for each of its sentences."""
    return ". ".join(clause[0].upper() + clause[1:] for clause in clauses(name, count)) + "."


def line(name: str) -> str:
    """Return one line of 40 to 80 letters, as people write in a chat."""
    draw = random.Random(f"line {name}")  # noqa: S311 - a made-up text, no secret
    return f"{draw.choice(_WHO).capitalize()} {draw.choice(_DID)} of {_coined(draw)} {draw.choice(_WHERE)}"
