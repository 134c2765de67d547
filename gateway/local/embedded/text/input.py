"""Input of the worker: the sequences of a prepared request, and the choices that read its answer. Pure."""

import hashlib
from collections.abc import Callable, Sequence

from gateway.core.delta import Text
from gateway.core.errors import BadRequest
from gateway.core.request import CompletionRequest, GenerateRequest, Sampling
from gateway.engine.llama.vocabulary import Vocabulary
from gateway.engine.messages import Embed, Measure, SamplingSpec, Submit, pack_tokens
from gateway.local.embedded.settings import EmbeddedSettings
from gateway.local.embedded.text.output import Choice
from gateway.local.embedded.text.prompts import Prepared

MOST_CHOICES = 128


def number_of_choices(request: GenerateRequest) -> int:
    """Return how many answers a request wants.

    Raises:
        BadRequest: Too many.
    """
    total = (len(request.prompts) if isinstance(request, CompletionRequest) else 1) * request.sampling.n
    if total > MOST_CHOICES:
        raise BadRequest(f"{total} answers at once; up to {MOST_CHOICES} are possible.", param="n")
    return total


def choices_of(request: GenerateRequest, prepared: Prepared, vocabulary: Vocabulary) -> list[Choice]:
    """Make a reader for each choice: `n` of them for the first prompt, `n` for the second, and so on.

    Raises:
        BadRequest: the request wants too many.
    """
    sampling = request.sampling
    scored = _scored(request)
    texts = _prompt_texts(request, prepared, vocabulary) if scored else []
    return [
        Choice(
            index,
            vocabulary,
            stops=sampling.stop,
            form=prepared.form,
            tools=prepared.tools,
            thinking=prepared.thinks,
            scored=prepared.prompts[index // sampling.n] if scored else (),
            echo=texts[index // sampling.n] if scored else "",
            silent=sampling.max_tokens == 0,
        )
        for index in range(number_of_choices(request))
    ]


def submits_of(
    request: GenerateRequest,
    prepared: Prepared,
    settings: EmbeddedSettings,
    vocabulary: Vocabulary,
    *,
    isolation: str,
    seed: int,
    next_id: Callable[[], int],
) -> list[Submit]:
    """Make an order for each prompt, with one sequence for each choice. `seed` is used where the client sent none.

    Raises:
        BadRequest: the bias names a token that there is not.
    """
    sampling = request.sampling
    if not vocabulary.has_all([token for token, _ in sampling.logit_bias]):
        raise BadRequest(f"Token ids must be between 0 and {vocabulary.size - 1}.", param="logit_bias")
    biases = (*sampling.logit_bias, *_word_biases(sampling, vocabulary))
    limit = sampling.max_tokens if sampling.max_tokens is not None else settings.answer_tokens
    first = sampling.seed if sampling.seed is not None else seed
    return [
        Submit(
            id=next_id(),
            repeats=tuple(next_id() for _ in range(1, sampling.n)),
            tokens=pack_tokens(prompt),
            max_tokens=limit if limit is not None else settings.context,
            sampling=_spec(sampling, settings, biases, first + number * sampling.n),
            isolation=isolation,
            grammar=prepared.grammar,
            thought=prepared.thought,
            prompt_logs=_scored(request),
            media=prepared.media,
            spans=prepared.spans,
        )
        for number, prompt in enumerate(prepared.prompts)
    ]


def _word_biases(sampling: Sampling, vocabulary: Vocabulary) -> list[tuple[int, float]]:
    """Return the biases of texts as those of all their tokens, as llama-server does."""
    return [
        (token, bias)
        for word, bias in sampling.word_bias
        for token in vocabulary.tokenize(word, add_special=False, parse_special=False)
    ]


def _spec(
    sampling: Sampling, settings: EmbeddedSettings, biases: tuple[tuple[int, float], ...], seed: int
) -> SamplingSpec:
    return SamplingSpec(
        temperature=settings.temperature if sampling.temperature is None else sampling.temperature,
        top_k=settings.top_k if sampling.top_k is None else sampling.top_k,
        top_p=settings.top_p if sampling.top_p is None else sampling.top_p,
        min_p=settings.min_p if sampling.min_p is None else sampling.min_p,
        seed=seed,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
        repeat_penalty=sampling.repeat_penalty,
        logit_bias=biases,
        logprobs=sampling.top_logprobs if sampling.logprobs else -1,
        ignore_eos=sampling.ignore_eos,
    )


def echoes(request: GenerateRequest, prepared: Prepared, choices: list[Choice], vocabulary: Vocabulary) -> list[Text]:
    """Return the prompt as the beginning of each choice, where the client wants it."""
    if not isinstance(request, CompletionRequest) or not request.echo or _scored(request):
        return []
    texts = _prompt_texts(request, prepared, vocabulary)
    return [Text(text=texts[choice.index // request.sampling.n], index=choice.index) for choice in choices]


def _scored(request: GenerateRequest) -> bool:
    """Say whether log-probabilities of the prompt are wanted.

    They come with its text, so not from `echoes` but as the worker tells them.
    """
    return isinstance(request, CompletionRequest) and request.echo and request.sampling.logprobs


def _prompt_texts(request: GenerateRequest, prepared: Prepared, vocabulary: Vocabulary) -> list[str]:
    given = request.prompts if isinstance(request, CompletionRequest) else ()
    return [
        text if isinstance(text, str) else vocabulary.text(prompt)
        for text, prompt in zip(given, prepared.prompts, strict=True)
    ]


def fingerprint(message: Submit | Embed | Measure) -> bytes:
    """Return a mark that is the same for the same work, whoever asks."""
    digest = hashlib.blake2b(digest_size=16)
    for part in _work(message):
        digest.update(part)
    return digest.digest()


def _work(message: Submit | Embed | Measure) -> Sequence[bytes]:
    match message:
        case Submit():
            return message.tokens, message.grammar.encode()  # pictures stand in the tokens by their hash
        case Embed():
            return message.inputs
        case Measure():
            return b"%d x %d" % (message.width, message.height), message.sound
