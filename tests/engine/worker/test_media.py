"""A whole worker with models that see and hear. The models and projectors have random weights: what they say means
nothing, but it must be what llama.cpp's own way of computing pictures says, cached or not, alone or beside others."""

import ctypes
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from gateway.engine.llama.bindings import C, multimodal
from gateway.engine.llama.faults import LoadFault
from gateway.engine.llama.model import Model
from gateway.engine.llama.projector import MediaFault, Projector
from gateway.engine.media import MediaSpan, digest_of, numbers_of
from gateway.engine.messages import (
    Cancel,
    End,
    Frames,
    Measure,
    Measured,
    Medium,
    SamplingSpec,
    Submit,
    Tokens,
    ToWorker,
    frame,
    pack_tokens,
    to_gateway,
    unpack_tokens,
)
from gateway.engine.pictures import pixels_of, size_of
from gateway.engine.prompt_store.store import PromptCacheStore
from gateway.engine.settings import EngineSettings
from gateway.engine.speculative.speculator import Speculator
from gateway.engine.tuning.batch_split import BatchSplitter
from gateway.engine.worker.channel import Channel, PeerClosed
from gateway.engine.worker.loop import Worker
from tests.engine.tiny_vision import picture, sound, write_ear, write_projector, write_seeing_generator

GREEDY = SamplingSpec(temperature=0.0, ignore_eos=True)
KINDS = ("gemma3", "idefics3", "qwen2vl", "ear")
ANSWER = 6  # tokens
ONE, TWO, THREE = picture(1), picture(2, width=90, height=130), picture(3, width=60, height=40)


class Lab:
    """A model with its projector, and a worker for each call of `served`."""

    def __init__(self, directory: Path, kind: str) -> None:
        text = write_seeing_generator(directory / f"{kind}-text.gguf", rotates=kind == "qwen2vl")
        mmproj = directory / f"{kind}.gguf"
        if kind == "ear":
            write_ear(mmproj)
        else:
            write_projector(mmproj, kind)
        self.kind = kind
        self.settings = EngineSettings(
            model=str(text), mmproj=str(mmproj), context=1024, slots=3, batch=64, kv_type_k="f32", kv_type_v="f32"
        )
        self.model = Model(self.settings, threads=1)
        self.projector = Projector(self.model, 1)

    def prompt(self, *parts: str | bytes, number: int = 1, spec: SamplingSpec = GREEDY, isolation: str = "") -> Submit:
        """A request of these texts and pictures (or sounds), with BOS before them."""
        tokens, spans, media = [self.model.vocabulary.bos], [], []
        for part in parts:
            if isinstance(part, str):
                tokens += self.model.vocabulary.tokenize(part, add_special=False, parse_special=False)
                continue
            pieces = (
                self.projector.encode_sound(part)[0]
                if self.kind == "ear"
                else self.projector.measure_picture(*size_of(part))
            )
            digest, count = digest_of(part), 0
            for piece in pieces:
                if piece.text:
                    tokens += unpack_tokens(piece.text)
                    continue
                spans.append(
                    MediaSpan(
                        start=len(tokens),
                        tokens=piece.tokens,
                        positions=piece.positions,
                        medium=len(media),
                        part=count,
                    )
                )
                tokens += numbers_of(digest, count, piece.tokens)
                count += 1
            media.append(Medium(data=part, sound=self.kind == "ear"))
        return Submit(
            id=number,
            tokens=pack_tokens(tokens),
            max_tokens=ANSWER,
            sampling=spec,
            isolation=isolation,
            media=tuple(media),
            spans=tuple(spans),
        )

    def expected(self, *parts: str | bytes) -> list[int]:
        """The answer as mtmd's own helper computes the prompt, in a fresh context."""
        mtmd, model = multimodal(), self.model
        parameters = C.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch, parameters.n_threads = 1024, 512, 512, 1
        parameters.type_k = parameters.type_v = 0
        context = C.llama_init_from_model(model.handle, parameters)
        marker = mtmd.mtmd_get_marker(self.projector._handle)
        text = b"".join(part.encode() if isinstance(part, str) else marker for part in parts)
        bitmaps = [self._bitmap(part) for part in parts if isinstance(part, bytes)]
        chunks = mtmd.mtmd_input_chunks_init()
        given = mtmd.mtmd_input_text(text, len(text), True, True)
        array = (ctypes.c_void_p * len(bitmaps))(*bitmaps)
        assert mtmd.mtmd_tokenize(self.projector._handle, chunks, ctypes.byref(given), array, len(bitmaps)) == 0
        past = C.llama_pos(0)
        handle = self.projector._handle
        assert mtmd.mtmd_helper_eval_chunks(handle, context, chunks, 0, 0, 512, True, ctypes.byref(past)) == 0
        answer = []
        batch = C.llama_batch_init(1, 0, 1)
        for step in range(ANSWER):
            logits = np.ctypeslib.as_array(C.llama_get_logits_ith(context, -1), (model.vocabulary.size,))
            logits[list(model.vocabulary.ends())] = -np.inf  # as with `ignore_eos`
            answer.append(int(logits.argmax()))
            batch.n_tokens, batch.token[0], batch.pos[0] = 1, answer[-1], past.value + step
            batch.n_seq_id[0], batch.seq_id[0][0], batch.logits[0] = 1, 0, 1
            assert C.llama_decode(context, batch) == 0
        C.llama_free(context)
        return answer

    def _bitmap(self, part: bytes) -> object:
        mtmd = multimodal()
        if self.kind == "ear":
            buffer = (ctypes.c_uint8 * len(part)).from_buffer_copy(part)
            return mtmd.mtmd_helper_bitmap_init_from_buf(self.projector._handle, buffer, len(part), False)
        pixels = pixels_of(part)
        pointer = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        return mtmd.mtmd_bitmap_init(pixels.shape[1], pixels.shape[0], pointer)


class Running:
    """A running worker and what it said."""

    def __init__(self, lab: Lab, speculator: Speculator | None = None, store: PromptCacheStore | None = None) -> None:
        for slot in range(lab.settings.slots):
            lab.model.trim(slot, 0)
        self.socket, self._theirs = socket.socketpair()
        self._channel = Channel(self._theirs)
        self.worker = Worker(
            lab.model,
            self._channel,
            1,
            store or PromptCacheStore(),
            1,
            BatchSplitter(),
            speculator,
            lab.projector,
        )
        self.answers: dict[int, list[int]] = {}
        self.ends: dict[int, End] = {}
        self.measured: dict[int, Measured] = {}
        self._frames = Frames()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        with pytest.raises(PeerClosed):
            self.worker.run()

    def send(self, *messages: ToWorker) -> None:
        """Hand these over at once."""
        self.socket.sendall(b"".join(map(frame, messages)))

    def until(self, *numbers: int) -> None:
        """Read on until these have ended."""
        while not set(numbers) <= self.ends.keys() | self.measured.keys():
            for body in self._frames.feed(self.socket.recv(65536)):
                match to_gateway.decode(body):
                    case Tokens() as message:
                        for number, token in zip(message.ids, message.tokens, strict=True):
                            self.answers.setdefault(number, []).append(token)
                        self.ends |= {end.id: end for end in message.ends}
                    case Measured() as message:
                        self.measured[message.id] = message

    def ask(self, *submits: Submit) -> list[list[int]]:
        """The answers to these, asked at once."""
        self.send(*submits)
        self.until(*(submit.id for submit in submits))
        for submit in submits:
            assert self.ends[submit.id].error is None
        return [self.answers[submit.id] for submit in submits]

    def close(self) -> None:
        """End it as the gateway does."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._channel.close()
        self.socket.close()
        self._theirs.close()


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Lab]]:
    """One of each kind."""
    directory = tmp_path_factory.mktemp("media")
    made = {kind: Lab(directory, kind) for kind in KINDS}
    yield made
    for lab in made.values():
        lab.model.close()


@pytest.fixture(params=KINDS)
def lab(request: pytest.FixtureRequest, labs: dict[str, Lab]) -> Lab:
    """Each of them."""
    return labs[request.param]


@pytest.fixture
def running(lab: Lab) -> Iterator[Running]:
    """A worker that has seen nothing yet."""
    running = Running(lab)
    yield running
    running.close()


def of(lab: Lab, *parts: str | bytes) -> tuple[str | bytes, ...]:
    """The same with sounds in place of pictures, where the model hears."""
    sounds = {ONE: sound(1), TWO: sound(2, seconds=1.5), THREE: sound(3)}
    return tuple(sounds[part] if lab.kind == "ear" and isinstance(part, bytes) else part for part in parts)


PROMPTS: tuple[Sequence[str | bytes], ...] = (
    ("what is ", ONE, " ?"),
    (ONE, "and", TWO, " alike?"),
    ("both: ", ONE, TWO, " ?"),
    ("along-text-before-it" * 8, TWO, "?"),
)


@pytest.mark.parametrize("prompt", PROMPTS, ids=["one", "two", "side by side", "long"])
def test_answers_are_those_of_mtmds_own_helper(prompt: Sequence[str | bytes], lab: Lab, running: Running) -> None:
    """A picture is computed as llama.cpp's own tools do: embeddings, positions, attention."""
    parts = of(lab, *prompt)
    assert running.ask(lab.prompt(*parts)) == [lab.expected(*parts)]


def test_a_picture_longer_than_a_step(labs: dict[str, Lab]) -> None:
    """A picture of more tokens than a batch is computed in several, with the positions of its rows and columns."""
    lab = labs["qwen2vl"]
    running = Running(lab)
    try:
        parts = ("?", picture(9, width=300, height=200), "?")
        submit = lab.prompt(*parts)
        assert submit.spans[0].tokens > 3 * lab.settings.batch
        assert running.ask(submit) == [lab.expected(*parts)]
    finally:
        running.close()


def test_a_picture_that_was_seen_comes_from_the_cache(lab: Lab, running: Running) -> None:
    """The same prompt again, and the conversation that goes on from it, compute only what is new."""
    parts = of(lab, "what is ", ONE, " ?")
    (first,) = running.ask(lab.prompt(*parts))
    (again,) = running.ask(lab.prompt(*parts, number=2))
    on = (*parts, " and now?")
    assert running.ask(lab.prompt(*on, number=3)) == [lab.expected(*on)]
    assert again == first
    length = running.ends[1].prompt
    assert running.ends[1].cached == 0
    assert running.ends[2].cached == length - 1
    assert running.ends[3].cached >= length


def test_another_picture_at_the_same_place_is_not_taken_for_it(lab: Lab, running: Running) -> None:
    """Two pictures of one size differ only in their bytes, and that counts."""
    running.ask(lab.prompt(*of(lab, "what is ", ONE, " ?")))
    other = of(lab, "what is ", THREE, " ?")
    submit = lab.prompt(*other, number=2)
    assert running.ask(submit) == [lab.expected(*other)]
    assert running.ends[2].cached <= submit.spans[0].start


def test_a_change_behind_a_picture_keeps_it(lab: Lab, running: Running) -> None:
    """A question that is edited drops what came after the picture, and only that."""
    running.ask(lab.prompt(*of(lab, "what is ", ONE, "?tell-me-at-length,please")))
    edited = of(lab, "what is ", ONE, " ! in one word")
    assert running.ask(lab.prompt(*edited, number=2)) == [lab.expected(*edited)]
    assert running.ends[2].cached > 20


def test_pictures_beside_texts(lab: Lab, running: Running) -> None:
    """Four at once in three slots, two of them with pictures, answer as each would alone."""
    asked = [
        of(lab, "what is ", ONE, " ?"),
        ("a text without any",),
        of(lab, ONE, "and", TWO, " alike?"),
        ("another-text-without-any,and-longer-than-the-first",),
    ]
    submits = [lab.prompt(*parts, number=number, isolation=str(number)) for number, parts in enumerate(asked, 1)]
    assert running.ask(*submits) == [lab.expected(*parts) for parts in asked]


def test_what_left_its_slot_comes_back_with_its_picture(lab: Lab) -> None:
    """A conversation that others crowded out is restored from the prompt cache."""
    store = PromptCacheStore()
    running = Running(lab, store=store)
    try:
        parts = of(lab, "a-long-beginning,so-that-it-is-worth-keeping:" * 2, ONE, " what is it?")
        (first,) = running.ask(lab.prompt(*parts, isolation="a"))
        for number in range(2, 6):
            running.ask(lab.prompt(f"{number}-someone-else-says-something-else" * 4, number=number, isolation="b"))
        assert running.ask(lab.prompt(*parts, number=9, isolation="a")) == [first]
        assert running.ends[9].cached == running.ends[9].prompt - 1
    finally:
        running.close()


def test_draft_tokens_change_no_answer_about_a_picture(lab: Lab) -> None:
    """What is drafted from the prompt never drafts a picture."""
    parts = of(lab, "abc abc abc", ONE, "abc abc abc", ONE, "abc abc abc")
    running = Running(lab, Speculator(most=8, room=32, always=True))
    try:
        assert running.ask(lab.prompt(*parts)) == [lab.expected(*parts)]
    finally:
        running.close()


def test_a_cancelled_picture_leaves_nothing_behind(lab: Lab, running: Running) -> None:
    """A request that is gone before its picture was encoded does not end, and the next one is answered."""
    parts = of(lab, "what is ", TWO, " ?")
    expected, again = lab.expected(*parts), lab.prompt(*parts, number=2)
    running.send(lab.prompt(*parts), Cancel(ids=(1,)))
    assert running.ask(again) == [expected]
    assert 1 not in running.ends


def test_a_broken_picture_ends_its_own_request(lab: Lab, running: Running) -> None:
    """A picture whose pixels can't be decoded is told, and others go on."""
    (good,) = of(lab, ONE)
    assert isinstance(good, bytes)
    bad = lab.prompt("what is ", good, " ?")
    cut = Medium(data=good[: len(good) // 2] if lab.kind != "ear" else b"RIFF\0\0\0\0WAVE", sound=lab.kind == "ear")
    running.send(msgspec.structs.replace(bad, media=(cut,)))
    running.until(1)
    assert "damaged or incomplete" in str(running.ends[1].error)
    running.ask(lab.prompt("and on", number=2))


def test_a_size_is_measured_without_a_picture(lab: Lab, running: Running) -> None:
    """The gateway learns what stands in a prompt before anything is decoded; a sound is measured by its bytes."""
    hears = lab.kind == "ear"
    running.send(Measure(id=1, sound=sound(1)) if hears else Measure(id=1, width=60, height=40), Measure(id=2, width=9))
    running.until(1, 2)
    assert sum(piece.tokens for piece in running.measured[1].pieces) > 0
    assert running.measured[2].error


class Surprising:
    """mtmd, but for some functions."""

    def __init__(self, **functions: object) -> None:
        self.__dict__ |= functions

    def __getattr__(self, name: str) -> object:
        return getattr(multimodal(), name)


def _no_memory(*_: object) -> int:
    raise MemoryError


@pytest.mark.parametrize(
    ("surprise", "message"),
    [
        (Surprising(mtmd_get_output_embd=lambda handle: None), "gave nothing"),
        (Surprising(mtmd_input_chunks_size=_no_memory), "more memory than there is"),
        (Surprising(mtmd_encode_chunk=lambda handle, chunk: 1), "can't be encoded"),
    ],
)
def test_surprises_of_the_projector_are_faults_of_the_picture(
    surprise: Surprising, message: str, labs: dict[str, Lab], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that llama.cpp can't take is told as such, so that it ends its own request and nothing else."""
    projector = labs["gemma3"].projector
    monkeypatch.setattr(projector, "_mtmd", surprise)
    with pytest.raises(MediaFault, match=message):
        projector.encode_picture(pixels_of(ONE))


def test_an_empty_text_beside_a_picture_is_left_out(labs: dict[str, Lab], monkeypatch: pytest.MonkeyPatch) -> None:
    """A projector whose marks before and behind a picture are no tokens of the model's takes it without them."""
    projector = labs["idefics3"].projector
    pieces = projector.measure_picture(60, 40)
    assert any(piece.text for piece in pieces)
    silent = Surprising(mtmd_input_chunk_get_tokens_text=lambda chunk, count: None)
    monkeypatch.setattr(projector, "_mtmd", silent)
    assert projector.measure_picture(60, 40) == [piece for piece in pieces if not piece.text]


@pytest.mark.parametrize("fault", ["width", "none"])
def test_a_projector_of_another_model_is_refused(fault: str, labs: dict[str, Lab], tmp_path: Path) -> None:
    """The load fails with both files and what to do, and no client sees a path."""
    mmproj = tmp_path / "other.gguf"
    if fault == "width":
        write_projector(mmproj, width=48)
    else:
        write_seeing_generator(mmproj)
    model = labs["gemma3"].model
    settings = model.settings
    model.settings = msgspec.structs.replace(settings, mmproj=str(mmproj))
    try:
        with pytest.raises(LoadFault, match="published together") as caught:
            Projector(model, 1)
    finally:
        model.settings = settings
    assert str(mmproj) in str(caught.value)
    assert str(mmproj) not in caught.value.public
