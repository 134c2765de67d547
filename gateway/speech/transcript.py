"""What was heard in a recording: its text, and when each piece of it was said. Times in seconds from its beginning."""

import msgspec


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One word as it was heard. `text` has the blank before it, where there is one."""

    start: float
    end: float
    text: str
    probability: float = 0.0


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """About a sentence, with what the model says of its own certainty.

    Source of the measures: Whisper (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022,
    section 4.5), whose names OpenAI's `verbose_json` uses as well.
    """

    start: float
    end: float
    text: str
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    avg_logprob: float = 0.0  # natural logarithm, the mean of all tokens
    compression_ratio: float = 1.0  # of the text by zlib: a text that repeats itself has a high one
    no_speech_prob: float = 0.0
    words: tuple[Word, ...] = ()


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a recording when it was heard to its end."""

    seconds: float
    language: str = ""  # ISO 639-1; empty: nobody said
    language_probability: float = 0.0  # 0: the model can't tell languages, or was told this one
    unheard: float = 0.0  # seconds that are not silent and that no segment covers
    broken: bool = False  # a part of it could not be decoded
