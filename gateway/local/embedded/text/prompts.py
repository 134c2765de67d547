"""Prompts: requests become token ids by chat template, tokeniser and grammar. Long texts are worked on in a thread."""

import asyncio
import contextlib
import re
import threading
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from gateway.core.delta import Tokenized
from gateway.core.document import Json
from gateway.core.errors import BadRequest, ContextLengthExceeded
from gateway.core.request import (
    AnyRequest,
    ChatRequest,
    CompletionRequest,
    DecisionsRequest,
    EmbeddingsRequest,
    MediaRequest,
    Message,
    RerankRequest,
    TextWork,
    TokenizeRequest,
)
from gateway.engine.llama.gguf import read_header
from gateway.engine.llama.vocabulary import Vocabulary, open_vocabulary
from gateway.engine.media import MediaSpan
from gateway.engine.messages import Medium, ThoughtBudget
from gateway.local.embedded.text.chat_template import ChatTemplate
from gateway.local.embedded.text.constraint import grammar_of, plain_grammar
from gateway.local.embedded.text.formats.answer_format import AnswerFormat, Tool
from gateway.local.embedded.text.formats.patterns import patterns_of
from gateway.local.embedded.text.infill import infill_prompt, snippet_tokens
from gateway.local.embedded.text.media import Markers, MeasuredMedium, PromptBuilder
from gateway.local.embedded.text.offer import offer_of
from gateway.local.embedded.text.thinking import budget_of, variables_of
from gateway.wire.built_in_tools import note

_SHORT = 4_000  # characters that are quicker rendered and tokenised than handed to a thread
_NODE = 8  # characters that a value or a message counts besides its text: quotes, commas, markers of a template
_STACK = 256 * 2**20  # bytes; some tokenisers recurse with the length of a word
_FIM_TOKENS = 4  # that frame a text with a hole
_MOST_CUT = 16  # windows of other files' text that are looked at, of which one at most is kept
_LONGEST_PIECE = 64  # bytes of text that one token can stand for, with a margin for runs of spaces


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Request as the worker wants it: one list of tokens for each prompt."""

    prompts: tuple[tuple[int, ...], ...]
    grammar: str = ""
    form: AnswerFormat | None = None  # None: all of the answer is text
    tools: tuple[Tool, ...] = ()  # what the answer may call
    thinks: bool = False  # the prompt ends inside a thought
    thought: ThoughtBudget | None = None
    media: tuple[Medium, ...] = ()  # pictures and sounds of a conversation
    spans: tuple[MediaSpan, ...] = ()  # which of its tokens stand for them


class Prompts:
    """Owner of a model's vocabulary and template on the gateway's side. `open` first, `close` at the end.

    `model` is what clients call the model.
    """

    def __init__(self, path: Path, context: int, model: str = "") -> None:
        self._path = path
        self._model = model
        self._context = context
        self._exit = contextlib.ExitStack()
        self._executor: ThreadPoolExecutor | None = None
        # INVARIANT: what is remembered of a request goes with it, also where it was only counted.
        self._known: dict[int, tuple[weakref.ref[AnyRequest], Prepared]] = {}
        self.template: ChatTemplate | None = None
        self._rank_template = ""
        self.vocabulary: Vocabulary | None = None

    async def open(self, context: int) -> None:
        """Load the vocabulary; takes 0.1 to 0.3 s in a thread. `context`: tokens of the window.

        Raises:
            ConfigurationError: the model file can't be read.
        """
        self._context = context
        if self.vocabulary is None:
            previous = threading.stack_size(_STACK)
            try:
                self._executor = ThreadPoolExecutor(1, "tokenizer")
                work = asyncio.get_running_loop().run_in_executor(self._executor, self._open)
            finally:
                threading.stack_size(previous)
            await work

    def _open(self) -> None:
        header = read_header(self._path)
        vocabulary = self._exit.enter_context(open_vocabulary(self._path))
        source = header.metadata.get("tokenizer.chat_template")
        self.template = ChatTemplate(
            source if isinstance(source, str) else "",
            bos=vocabulary.piece(vocabulary.bos, special=True).decode("utf-8", "replace"),
            eos=vocabulary.piece(vocabulary.eos, special=True).decode("utf-8", "replace"),
        )
        ranking = header.metadata.get("tokenizer.chat_template.rerank")
        self._rank_template = ranking if isinstance(ranking, str) else ""
        self.vocabulary = vocabulary

    def close(self) -> None:
        """Free the vocabulary, after the last tokenising thread."""
        if self._executor is not None:
            self._executor.shutdown(wait=True)
            self._executor = None
        self.vocabulary = None
        self._known.clear()
        self._exit.close()

    def knows(self, request: AnyRequest) -> bool:
        """Say whether a request was prepared before."""
        known = self._known.get(id(request))
        return known is not None and known[0]() is request

    async def prepare(self, request: AnyRequest, media: tuple[MeasuredMedium, ...] = ()) -> Prepared:
        """Return tokens and grammar of a request, and its pictures. `media`: all of them, where it is new.

        The result is remembered as long as the request lives: a request is first counted, then answered.

        Raises:
            BadRequest: this model can't do what was asked for.
            ContextLengthExceeded: the text certainly does not fit the window.
        """
        number = id(request)
        known = self._known.get(number)
        if known is not None and known[0]() is request:
            return known[1]
        if heavier_than(request, _SHORT):
            assert self._executor is not None
            prepared = await asyncio.get_running_loop().run_in_executor(self._executor, self._prepare, request, media)
        else:
            prepared = self._prepare(request, media)
        self._known[number] = (weakref.ref(request, lambda _: self._known.pop(number, None)), prepared)
        return prepared

    def forget(self, request: AnyRequest) -> None:
        """Forget a request that is being answered: it will not be asked for again."""
        self._known.pop(id(request), None)

    async def tokenized(self, request: TokenizeRequest) -> Tokenized:
        """Put a text, token ids or a conversation through the vocabulary or the template, as the request wants it.

        Raises:
            BadRequest: there is no such token, or the template can't render the conversation.
        """
        if heavier_than(request, _SHORT):
            assert self._executor is not None
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._tokenized, request)
        return self._tokenized(request)

    def _tokenized(self, request: TokenizeRequest) -> Tokenized:
        assert self.vocabulary is not None
        assert self.template is not None
        vocabulary = self.vocabulary
        match request.work:
            case TextWork.TOKENIZE:
                ids = vocabulary.tokenize(
                    request.text, add_special=request.add_special, parse_special=request.control_tokens
                )
                wanted = ids if request.pieces else ()
                pieces = tuple([vocabulary.piece(token, special=True) for token in wanted])
                return Tokenized(text=request.text, ids=tuple(ids), pieces=pieces)
            case TextWork.DETOKENIZE:
                ids = list(self._checked(request.ids)) if request.ids else []
                text = b"".join(vocabulary.piece(token, special=True) for token in ids).decode("utf-8", "replace")
                return Tokenized(text=text, ids=request.ids)
            case TextWork.TEMPLATE:
                assert request.chat is not None
                offer, variables = offer_of(request.chat), variables_of(request.chat, self.template.source)
                return Tokenized(text=self.template.render(request.chat.messages, offer.documents, variables))

    def _prepare(self, request: AnyRequest, media: tuple[MeasuredMedium, ...] = ()) -> Prepared:
        match request:
            case ChatRequest():
                return self._chat(request, media)
            case CompletionRequest():
                if request.suffix or request.insert:
                    return self._infill(request, request.suffix or "")
                controls = request.control_tokens
                prompts = tuple(self._tokens(prompt, control_tokens=controls) for prompt in request.prompts)
                return Prepared(prompts=prompts, grammar=plain_grammar(request.response_format))
            case EmbeddingsRequest():
                return Prepared(prompts=tuple(self._input(text, cut=request.truncate) for text in request.inputs))
            case TokenizeRequest():
                return Prepared(prompts=((),))  # the model is not asked
            case MediaRequest() | DecisionsRequest():
                return Prepared(prompts=((),))  # no model here makes or hears media, or only decides
            case RerankRequest():
                assert self.vocabulary is not None
                for text in request.texts:
                    self._refuse_huge(request.query + text)
                return Prepared(prompts=pairs(self.vocabulary, self._rank_template, request))

    def _chat(self, request: ChatRequest, media: tuple[MeasuredMedium, ...]) -> Prepared:
        assert self.template is not None
        assert self.vocabulary is not None
        if request.media and not media:
            raise BadRequest("This model reads text only.", param="messages")
        # Before anything is rendered: what is surely too long costs nothing.
        self._refuse_longer(sum(len(message.text) for message in request.messages))
        offer = offer_of(request)
        markers = Markers()
        messages = [markers.marked(message) for message in request.messages] if media else request.messages
        if request.provider_tools:
            messages = [Message(role="system", text=note(request.provider_tools)), *messages]
        text = self.template.render(messages, offer.documents, variables_of(request, self.template.source))
        self._refuse_huge(text)
        built = self._built(markers.split(text), media)
        # Here, for this is the thread of large requests: patterns of a thousand names take half a second.
        patterns_of(self.template.format, tuple(tool.name for tool in offer.tools))
        form, thinks = self.template.format, self.template.opens_thought(text)
        constrained = offer.required or offer.strict or request.response_format.kind != "text"
        controls = self.vocabulary.controls() if constrained else {}
        return Prepared(
            prompts=(tuple(built.tokens),),
            grammar=grammar_of(offer, request.response_format, form, controls, text, thinking=thinks),
            form=form,
            tools=offer.tools,
            thought=budget_of(request.thinking, form, self.vocabulary, thinking_now=thinks),
            thinks=thinks,
            media=tuple(Medium(data=one.given.data, sound=one.given.sound) for one in media),
            spans=tuple(built.spans),
        )

    def _built(self, pieces: list[str | int], media: tuple[MeasuredMedium, ...]) -> PromptBuilder:
        """Return the tokens of a rendered conversation that was cut at its pictures.

        Raises:
            BadRequest: it ends with a picture.
        """
        assert self.vocabulary is not None
        vocabulary, built = self.vocabulary, PromptBuilder()
        bos = vocabulary.piece(vocabulary.bos, special=True).decode("utf-8", "replace")
        first = str(pieces[0])
        begins = not (bos and first.startswith(bos))
        if not media:
            built.tokens = vocabulary.tokenize(first, add_special=begins, parse_special=True)
            return built
        if begins and vocabulary.adds_bos:
            built.tokens = [vocabulary.bos]
        for piece in pieces:
            if isinstance(piece, int):
                built.add(media[piece], piece)
            elif piece:
                built.tokens += vocabulary.tokenize(piece, add_special=False, parse_special=True)
        if built.tokens[-1] < 0:
            raise BadRequest("The prompt ends with a picture; the model's template has no words behind it.")
        return built

    def _infill(self, request: CompletionRequest, suffix: str) -> Prepared:
        assert self.vocabulary is not None
        if request.echo and request.sampling.logprobs:
            raise BadRequest("'suffix' can't stand beside 'echo' with 'logprobs'.", param="suffix")
        self._refuse_longer(len(suffix) + max(map(len, request.prompts)))
        self._refuse_longer(sum(len(snippet.text) for snippet in request.snippets) // _MOST_CUT)
        behind = self.vocabulary.tokenize(suffix, add_special=False, parse_special=False)
        prompts = [
            self.vocabulary.tokenize(prompt, add_special=False, parse_special=False)
            if isinstance(prompt, str)
            else self._checked(prompt)
            for prompt in request.prompts
        ]
        answer = min(request.sampling.max_tokens or 0, self._context // 2)
        room = self._context - answer - max(map(len, prompts)) - len(behind) - _FIM_TOKENS
        before = snippet_tokens(self.vocabulary, request.snippets, room)
        return Prepared(
            prompts=tuple(infill_prompt(self.vocabulary, one, behind, self._model, before) for one in prompts),
            grammar=plain_grammar(request.response_format),
        )

    def _input(self, text: str | tuple[int, ...], *, cut: bool) -> tuple[int, ...]:
        """Return the tokens of a text to embed; where `cut` says so, no more than the window holds."""
        if not cut or len(text) < self._context:
            return self._tokens(text)
        ids = self._tokens(text[: self._context * _LONGEST_PIECE])
        if len(ids) <= self._context:
            return ids
        assert self.vocabulary is not None
        end = ids[-1:] if self.vocabulary.is_control(ids[-1]) else ()  # some models end each text with one
        return ids[: self._context - len(end)] + end

    def _tokens(self, prompt: str | tuple[int, ...], *, control_tokens: bool = False) -> tuple[int, ...]:
        assert self.vocabulary is not None
        if isinstance(prompt, str):
            self._refuse_huge(prompt)
            ids = tuple(self.vocabulary.tokenize(prompt, add_special=True, parse_special=control_tokens))
            # Nothing at all can't be computed: a model without a start token begins with its end token.
            return ids or (self.vocabulary.bos if self.vocabulary.adds_bos else self.vocabulary.eos,)
        return self._checked(prompt)

    def _checked(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        """Return token ids that a client sent.

        Raises:
            BadRequest: there are none, or some that this model does not have.
        """
        assert self.vocabulary is not None
        if not ids or not self.vocabulary.has_all(ids):
            raise BadRequest(f"Token ids must be between 0 and {self.vocabulary.size - 1}, and at least one.")
        return ids

    def _refuse_huge(self, text: str) -> None:
        """Refuse a text that certainly does not fit, before it is tokenised.

        Raises:
            ContextLengthExceeded: it does not.
        """
        self._refuse_longer(len(text))

    def _refuse_longer(self, characters: int) -> None:
        if characters > self._context * _LONGEST_PIECE:
            raise ContextLengthExceeded(
                f"The prompt has {characters} characters; this model's window is {self._context} tokens."
            )


def characters_of(request: AnyRequest) -> int:
    """Measure cheaply how much there is to tokenise, in characters."""
    match request:
        case ChatRequest():
            return sum(len(message.text) for message in request.messages) + 1_000 * len(request.tools)
        case CompletionRequest():
            return sum(len(prompt) + len(request.suffix or "") for prompt in request.prompts)
        case EmbeddingsRequest():
            return sum(len(text) for text in request.inputs)
        case TokenizeRequest() | MediaRequest() | DecisionsRequest():
            return 0
        case RerankRequest():
            return sum(len(request.query) + len(text) for text in request.texts)


def heavier_than(request: AnyRequest, limit: int) -> bool:
    """Return whether there is more than so much to render and tokenise, in characters: texts, tools, schemas, calls.

    Looks at no more than it needs for that, so that the answer comes at once whatever was sent.
    """
    weight = 0
    stack: list[Json] = [_texts_of(request)]
    while stack and weight <= limit:
        value = stack.pop()
        weight += _NODE
        match value:
            case str():
                weight += len(value)
            case tuple():
                weight += len(value)
                stack += value[: limit + 1]
            case Mapping():
                weight += sum(map(len, islice(value, limit + 1)))
                stack += islice(value.values(), limit + 1)
    return weight > limit


def _texts_of(request: AnyRequest) -> Json:
    match request:
        case ChatRequest():
            messages = tuple(
                (message.text, message.reasoning, *((call.name, call.arguments) for call in message.tool_calls))
                for message in request.messages
            )
            return (messages, request.tools, request.tool_choice, request.response_format.schema)
        case CompletionRequest():
            return (*request.prompts, request.suffix, *(snippet.text for snippet in request.snippets))
        case EmbeddingsRequest():
            return request.inputs
        case RerankRequest():
            return (*(request.query for _ in request.texts), *request.texts)
        case TokenizeRequest():
            return (request.text, request.ids, None if request.chat is None else _texts_of(request.chat))
        case MediaRequest() | DecisionsRequest():
            return request.text


_PLACES = re.compile(r"\{(query|document)\}")


def pairs(vocabulary: Vocabulary, template: str, request: RerankRequest) -> tuple[tuple[int, ...], ...]:
    """Return one prompt for each text, of the query and the text."""
    if template:
        return tuple(
            tuple(vocabulary.tokenize(_filled(template, request.query, text), add_special=False, parse_special=True))
            for text in request.texts
        )
    end = (vocabulary.eos if vocabulary.eos >= 0 else vocabulary.sep,) if vocabulary.adds_eos else ()
    start = (vocabulary.bos,) if vocabulary.adds_bos else ()
    query = vocabulary.tokenize(request.query, add_special=False, parse_special=False)
    between = (*end, *((vocabulary.sep,) if vocabulary.adds_sep else ()))
    return tuple(
        (*start, *query, *between, *vocabulary.tokenize(text, add_special=False, parse_special=False), *end)
        for text in request.texts
    )


def _filled(template: str, query: str, text: str) -> str:
    # In one pass: a query that says {document} is a query, not a place.
    return _PLACES.sub(lambda place: query if place[1] == "query" else text, template)
