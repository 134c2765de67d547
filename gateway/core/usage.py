"""Token counts and money."""

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one answer. The first four kinds are disjoint, so that sums add up: total = the sum of these four.

    The others are parts of them that some providers price in their own way.
    """

    input: int = 0  # prompt tokens that were computed
    input_cached: int = 0  # prompt tokens that came from a cache
    output: int = 0  # answer tokens without reasoning
    reasoning: int = 0
    estimated: bool = False  # counted here because the target did not say
    input_written: int = 0  # of `input`: written to the provider's cache
    input_written_long: int = 0  # of `input_written`: to be kept for an hour
    input_audio: int = 0  # of `input`
    output_audio: int = 0  # of `output`
    input_image: int = 0  # of `input`
    output_image: int = 0  # of `output`
    pictures: int = 0  # that were made, beside any tokens
    picture_size: str = ""  # of each, `WIDTHxHEIGHT`; empty: not known
    picture_quality: str = ""
    heard_seconds: float = 0.0  # of a recording that was written down, beside any tokens
    spoken_characters: int = 0  # of a text that was spoken, beside any tokens

    @property
    def prompt_tokens(self) -> int:
        """Return the number of all prompt tokens, cached or not (what OpenAI calls `prompt_tokens`)."""
        return self.input + self.input_cached

    @property
    def completion_tokens(self) -> int:
        """Return the number of all generated tokens, reasoning included (what OpenAI calls `completion_tokens`)."""
        return self.output + self.reasoning


class MostUse(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a request can use, before anybody has counted it."""

    prompt: int = 0  # tokens of all prompts together
    answers: int = 0  # how many are asked for: choices times prompts; 0: nothing is generated
    limit: int | None = None  # the most tokens of each; None: the client sets none
    pictures: int = 0  # beside the prompt's tokens
    drawn: int = 0  # pictures that are to be made
    heard_seconds: float = 0.0  # of a recording that is to be written down
    spoken_characters: int = 0  # of a text that is to be spoken
    picture_size: str = ""  # of each that is to be made, `WIDTHxHEIGHT`; empty: the target chooses
    picture_quality: str = ""


MICROS = 1_000_000


def micros(usd: float) -> int:
    """Return US dollars as integer micro-dollars, rounded half to even, so that sums in the ledger are exact."""
    return round(usd * MICROS)
