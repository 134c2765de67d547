"""Settings of a target that speaks with espeak-ng. Times in seconds."""

import msgspec


class EspeakSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The program, its voice, and the queue before it."""

    program: str = "espeak-ng"  # name on the path, or a path
    voice: str = "en"  # where a request names none that the program has
    slots: int = 2  # requests at once
    queue: int = 64  # further ones that may wait
    queue_wait: float = 120.0  # one that would have to wait longer, as far as can be foreseen, is refused at once
