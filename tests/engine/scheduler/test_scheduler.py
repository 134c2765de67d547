"""The scheduler, driven with a fake model: no clock, no llama.cpp."""

import random
from array import array
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.delta import FinishReason
from gateway.engine.media import MediaSpan
from gateway.engine.scheduler.fairness import Shares
from gateway.engine.scheduler.prompt_cache import PromptCacheIndex
from gateway.engine.scheduler.scheduler import Scheduler
from gateway.engine.scheduler.step import (
    CacheOp,
    Copy,
    Demote,
    Drop,
    Forget,
    Keep,
    Restore,
    Rewind,
    Row,
    Save,
    Step,
    Swap,
    Trim,
)
from gateway.engine.sequence_memory import ATTENTION, SequenceMemory

CONTEXT, BATCH, END = 160, 16, 0
MEMORIES = (
    ATTENTION,
    SequenceMemory(kind="recurrent", window=0, slack=0),
    SequenceMemory(kind="sliding_window", window=12, slack=9),
    SequenceMemory(kind="sliding_window", window=12),
)


def next_token(tokens: "array[int]") -> int:
    """A model whose next token follows from all tokens before; now and then it ends its answer."""
    mixed = 7
    for token in tokens:
        mixed = (mixed * 31 + token) % 1009
    return mixed % 13


class FakeModel(msgspec.Struct):
    """KV memory as llama.cpp keeps it: what each slot holds. Refuses what llama.cpp would refuse, or do wrongly.

    `least`: the length below which a slot can't be cut, but to nothing.
    """

    slots: list["array[int]"]
    memory: SequenceMemory = ATTENTION
    least: dict[int, int] = msgspec.field(default_factory=dict)
    written: dict[int, int] = msgspec.field(default_factory=dict)
    kept: dict[int, "array[int]"] = msgspec.field(default_factory=dict)
    disk: dict[int, "array[int]"] = msgspec.field(default_factory=dict)
    checkpoints: dict[int, "array[int]"] = msgspec.field(default_factory=dict)
    parts: dict[int, dict[int, "array[int]"]] = msgspec.field(default_factory=dict)

    def carry_out(self, step: Step) -> dict[int, list[int]]:
        """Request → its next token, for each row with logits, and the one behind each draft."""
        self.op(step.cache_ops)
        assert 0 < sum(len(row.tokens) for row in step.rows) <= BATCH
        assert [row.slot for row in step.rows] == sorted({row.slot for row in step.rows})
        drawn = {}
        for row in step.rows:
            assert len(self.slots[row.slot]) == row.position, "a gap in the positions"
            slot, base = self.slots[row.slot], len(row.tokens) - row.drafted
            slot.extend(row.tokens[:base])
            if self.memory.window is not None and self.memory.slack is not None:
                self.passes(row.slot, len(row.tokens))
            if row.outputs:
                drawn[row.request] = [next_token(slot)]
            for draft in row.tokens[base:]:
                slot.append(draft)
                drawn[row.request].append(next_token(slot))
            assert len(slot) <= CONTEXT
        return drawn

    def passes(self, slot: int, count: int) -> None:
        """A slot forgets what it wrote long ago."""
        self.written[slot] = self.written.get(slot, 0) + count
        if self.written[slot] > self.memory.window:
            self.least[slot] = max(self.least.get(slot, 0), self.written[slot] - self.memory.slack)

    def forgets(self, slot: int) -> None:
        """Of a state that was put into a slot, what lies before the window is gone."""
        length, window = len(self.slots[slot]), self.memory.window
        self.least[slot] = length if window is not None and length > window else 0
        self.written[slot] = length

    def cut(self, slot: int, length: int) -> None:
        """The end of a sequence is dropped."""
        assert len(self.slots[slot]) >= length
        assert length == 0 or length >= self.least.get(slot, 0), "what a cut needs was forgotten"
        del self.slots[slot][length:]
        self.least[slot] = min(self.least.get(slot, 0), length)
        if not length:
            self.written[slot] = 0

    def rewind(self, slot: int, length: int, checkpoint: "array[int] | None") -> None:
        """A sequence is cut back, by a checkpoint where there is one."""
        if checkpoint is not None:
            assert checkpoint == self.slots[slot][:length], "a checkpoint of another text"
            del self.slots[slot][length:]
            self.forgets(slot)
        self.cut(slot, length)

    def op(self, cache_ops: Iterable[CacheOp]) -> None:
        """Moves of cached sequences, in order."""
        for op in cache_ops:
            match op:
                case Trim():
                    self.cut(op.slot, op.length)
                case Keep():
                    assert op.key not in self.checkpoints
                    self.checkpoints[op.key] = self.slots[op.slot][:]
                case Forget():
                    del self.checkpoints[op.key]
                case Rewind():
                    self.rewind(op.slot, op.length, self.checkpoints[op.key])
                case Copy():
                    self.slots[op.destination] = self.slots[op.source][:]
                    self.forgets(op.destination)
                    self.rewind(op.destination, op.length, self.checkpoints.get(op.checkpoint))
                case Swap():
                    one, other = op.one, op.other
                    self.slots[one], self.slots[other] = self.slots[other], self.slots[one]
                    self.forgets(one)
                    self.forgets(other)
                case Save():
                    self.kept[op.key] = self.slots[op.slot][:]
                    self.parts[op.key] = {length: self.checkpoints[key] for length, key in op.checkpoints}
                case Restore():
                    self.slots[op.slot] = self.kept[op.key][:]
                    self.forgets(op.slot)
                    parts = self.parts[op.key]
                    self.checkpoints |= {key: parts[length] for length, key in op.checkpoints}
                    self.rewind(op.slot, op.length, parts[op.length] if op.rewinds else None)
                case Drop():
                    assert op.key in self.kept or op.key in self.disk
                    self.kept.pop(op.key, None)
                    self.disk.pop(op.key, None)
                case Demote():
                    self.disk[op.key] = self.kept.pop(op.key)


class Bench:
    """A scheduler and its fake model; records what each request was answered."""

    def __init__(
        self,
        slots: int = 4,
        batch: int = BATCH,
        between: int = 64,
        cache_ram: int = 0,
        disk: int = 0,
        memory: SequenceMemory = ATTENTION,
        checkpoints: int = 0,
    ) -> None:
        self.scheduler = Scheduler(
            slots=slots,
            context=CONTEXT,
            batch=batch,
            between_decodes=between,
            prefix_minimum=2,
            ends=[END],
            cache_ram=cache_ram,
            cache_disk=disk,
            memory=memory,
            checkpoints=checkpoints,
            checkpoint_every=24,
        )
        self.most_checkpoints = checkpoints
        self.capacities = cache_ram, disk
        self.reading: list[int] = []  # keys that the disk is reading
        self.lossy = self.stuck = False
        self.drafts: random.Random | None = None
        self.model = FakeModel([array("i") for _ in range(slots)], memory=memory)
        self.answers: dict[int, list[int]] = {}
        self.ends: dict[int, list[FinishReason | str]] = {}
        self.steps: list[Step] = []

    def add(self, request: int, prompt: list[int], max_tokens: int = 8, isolation: str = "") -> None:
        self.scheduler.add(request, array("i", prompt), max_tokens, isolation)
        self.answers[request], self.ends[request] = [], []

    def step(self) -> bool:
        self.read_disk()
        step = self.scheduler.plan()
        self.reading += self.scheduler.prompt_cache.wanted()
        if step is None:
            return bool(self.reading)
        if self.drafts and not step.prefill:
            step = Step(cache_ops=step.cache_ops, rows=tuple(map(self.propose, step.rows)), prefill=False)
        self.steps.append(step)
        drawn = self.model.carry_out(step)
        assert len(self.model.checkpoints) <= self.most_checkpoints
        self.scheduler.computed(step)
        for row in step.rows:
            self.accept(row, drawn.get(row.request, []))
            del self.model.slots[row.slot][self.scheduler.held(row.slot) :]  # wrong draft tokens
        return True

    def accept(self, row: Row, drawn: list[int]) -> None:
        """Tokens up to the first wrong draft become part of the answer."""
        drafts = row.tokens[len(row.tokens) - row.drafted :]
        for place, token in enumerate(drawn):
            right = place < row.drafted and token == drafts[place]
            reason = self.scheduler.accept(row.request, token, computed=right)
            if reason is not FinishReason.STOP:
                self.answers[row.request].append(token)
            if reason is not None:
                self.ends[row.request].append(reason)
            if reason is not None or not right:
                return

    def propose(self, row: Row) -> Row:
        """The row with tokens that will follow, the last of them sometimes wrong."""
        sequence = self.scheduler.sequence(row.request)
        assert sequence is not None
        count = min(self.drafts.randrange(4), sequence.limit - len(sequence.tokens) - 1, BATCH // 4 - 1)
        if not row.outputs or count <= 0:
            return row
        tokens = sequence.tokens[:]
        for _ in range(count):
            tokens.append(next_token(tokens))
        tokens[-1] += self.drafts.randrange(2)
        drafts = tokens[-count:]
        return msgspec.structs.replace(row, tokens=[*row.tokens, *drafts], outputs=1 + count, drafted=count)

    def read_disk(self) -> None:
        """One state comes; a disk that is lossy loses every second one."""
        if self.reading and not self.stuck:
            key = self.reading.pop(0)
            if self.lossy and key % 2:
                self.model.disk.pop(key)
                self.scheduler.prompt_cache.lost(key)
            else:
                self.model.kept[key] = self.model.disk[key]
                self.model.op(self.scheduler.prompt_cache.arrived(key))
        assert sum(len(tokens) for key, tokens in self.model.disk.items() if key not in self.model.kept) <= max(
            self.capacities[1], sum(len(self.model.disk[key]) for key in self.reading)
        )

    def run(self) -> None:
        for _ in range(10_000):
            if not self.step():
                return
        raise AssertionError("the scheduler never comes to rest")


def alone(prompt: list[int], max_tokens: int) -> list[int]:
    """What the fake model answers when nothing else runs."""
    tokens, answer = array("i", prompt), []
    while len(answer) < max_tokens and len(tokens) < CONTEXT:
        token = next_token(tokens)
        if token == END:
            break
        answer.append(token)
        tokens.append(token)
    return answer


PROMPTS = st.one_of(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.tuples(st.integers(1, 2), st.integers(60, CONTEXT - 8), st.integers(1, 3)).map(
        lambda parts: [parts[0]] * parts[1] + [parts[2]] * 5
    ),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), PROMPTS, st.integers(1, 12), st.sampled_from(["", "a", "b"])),
        st.tuples(st.just("step"), st.integers(1, 5)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(
    ACTIONS,
    st.integers(1, 5),
    st.sampled_from([0, 100, 1000]),
    st.sampled_from([0, 150, 1000]),
    st.integers(0, 3),
    st.sampled_from(MEMORIES),
    st.sampled_from([0, 2, 30]),
)
def test_invariants(
    actions: list[tuple], slots: int, cache_ram: int, disk: int, kind: int, memory: SequenceMemory, checkpoints: int
) -> None:
    """Whatever comes in whatever order: each request ends exactly once, with the answer it would get alone."""
    bench = Bench(slots, cache_ram=cache_ram, disk=disk, memory=memory, checkpoints=checkpoints)
    prompts, cancelled = {}, set()
    bench.lossy = kind in (1, 3)
    drafts = kind in (2, 3) and slots < 5 and memory.drops_drafts
    bench.drafts = random.Random(len(actions)) if drafts else None
    for action in actions:
        match action:
            case ("add", prompt, limit, isolation):
                number = len(prompts)
                prompts[number] = (prompt, limit)
                bench.add(number, prompt, limit, isolation)
            case ("step", count):
                for _ in range(count):
                    bench.step()
            case ("cancel", number):
                if bench.scheduler.cancel(number):
                    bench.ends[number].append("cancelled")
                    cancelled.add(number)
        owners = [request for request in bench.scheduler.slots.values() if request is not None]
        assert len(owners) == len(set(owners)) == bench.scheduler.busy <= slots
    bench.run()
    assert bench.scheduler.busy == bench.scheduler.waiting == 0
    assert all(request is None for request in bench.scheduler.slots.values())
    for number, (prompt, limit) in prompts.items():
        assert len(bench.ends[number]) == 1
        expected = alone(prompt, limit)
        if number not in cancelled:
            assert bench.answers[number] == expected
        else:
            assert bench.answers[number] == expected[: len(bench.answers[number])]


def test_first_come_first_served() -> None:
    """With one slot, answers come in the order of the questions."""
    bench = Bench(slots=1)
    for number in range(4):
        bench.add(number, [number + 1, 5, 9])
    seen: list[int] = []
    while bench.step():
        for row in bench.steps[-1].rows:
            if row.request not in seen:
                seen.append(row.request)
    assert seen == [0, 1, 2, 3]


def test_a_conversation_computes_only_its_new_tokens() -> None:
    """The next turn finds its history in the slot that computed it; nothing is copied."""
    bench = Bench()
    bench.add(0, [1] * 20, 4)
    bench.run()
    history = [1] * 20 + bench.answers[0] + [2, 3]
    bench.steps.clear()
    bench.add(1, history, 4)
    bench.run()
    first = bench.steps[0]
    assert not any(isinstance(op, Copy) for op in first.cache_ops)
    # All but the last generated token was computed, and what is new.
    assert sum(len(row.tokens) for row in first.rows) <= 3


def test_nothing_is_shared_between_isolation_keys() -> None:
    """The same prompt under another key is computed anew: its timing must tell nothing."""
    bench = Bench()
    bench.add(0, [1] * 30, 2, "one")
    bench.run()
    bench.add(1, [1] * 30, 2, "other")
    bench.steps.clear()
    bench.run()
    assert sum(len(row.tokens) for step in bench.steps if step.prefill for row in step.rows) == 30


def test_followers_wait_for_a_prefix_that_is_being_computed() -> None:
    """Four requests with one long beginning: it is computed once and copied."""
    bench = Bench(batch=16)
    scheduler = Scheduler(slots=4, context=512, batch=16, between_decodes=64, prefix_minimum=2, ends=[END])
    bench.scheduler = scheduler
    shared = [1, 2, 3] * 40
    computed = 0
    for number in range(4):
        scheduler.add(number, array("i", [*shared, 4 + number]), 1, "")
    while (step := scheduler.plan()) is not None:
        computed += sum(len(row.tokens) for row in step.rows)
        scheduler.computed(step)
        for row in step.rows:
            if row.outputs:
                scheduler.accept(row.request, 5)
    assert computed <= len(shared) + 4


def test_running_answers_are_not_starved_by_long_prompts() -> None:
    """At most `between_decodes` prompt tokens are computed between two decode steps."""
    bench = Bench(slots=3, between=32)
    bench.add(0, [1, 2], 40)
    bench.step()
    for number in range(1, 3):
        bench.add(number, [number] * 60, 2)
    since = 0
    while bench.step() and not bench.ends[0]:
        step = bench.steps[-1]
        since = since + sum(len(row.tokens) for row in step.rows) if step.prefill else 0
        assert since < 32 + BATCH


def test_gaps_between_busy_slots_are_closed() -> None:
    """When the middle one ends, the outer ones become neighbours: llama.cpp computes them together then."""
    bench = Bench(slots=3)
    for number, limit in enumerate((40, 1, 40)):
        bench.add(number, [3, number + 5], limit)
    bench.run()
    last = [step.rows for step in bench.steps if len(step.rows) == 2][-1]
    assert last[1].slot - last[0].slot == 1


@pytest.mark.parametrize(("prompt", "limit"), [([], 1), ([1] * CONTEXT, 1), ([1], 0)])
def test_what_can_not_be_computed_is_refused(prompt: list[int], limit: int) -> None:
    """A request that can't be computed is an error here already, if the caller did not check."""
    with pytest.raises(ValueError, match="window"):
        Bench().add(0, prompt, limit)


def test_the_window_ends_an_answer() -> None:
    """An answer that reaches the end of the window stops with `length`."""
    bench = Bench()
    bench.add(0, [2] * (CONTEXT - 2), 99)
    bench.run()
    assert bench.ends[0] in ([FinishReason.LENGTH], [FinishReason.STOP])
    assert len(bench.answers[0]) <= 2


def test_a_failed_step_ends_its_requests_and_forgets_their_slots() -> None:
    """After a failure nothing that the slot held is trusted."""
    bench = Bench()
    bench.add(0, [1] * 20, 4)
    step = bench.scheduler.plan()
    assert step is not None
    assert bench.scheduler.fail() == ([0], [])
    bench.model.slots = [array("i") for _ in range(4)]
    assert bench.scheduler.busy == 0
    bench.add(1, [1] * 20, 4)
    bench.run()
    assert bench.answers[1] == alone([1] * 20, 4)


def test_a_light_app_does_not_wait_for_a_flood() -> None:
    """All slots and the queue belong to one app; a request of another one is answered next, and nobody loses tokens."""
    bench = Bench(slots=4)
    for number in range(20):
        bench.add(number, [number + 1, 7, 7], 30, "flood")
    for _ in range(10):
        bench.step()
    bench.add(99, [5, 6, 9], 4, "light")
    steps = len(bench.steps)
    while not bench.ends[99]:
        bench.step()
    assert len(bench.steps) - steps <= 8
    bench.run()
    for number in range(20):
        assert bench.answers[number] == alone([number + 1, 7, 7], 30)
        assert len(bench.ends[number]) == 1


def test_two_busy_apps_share_evenly() -> None:
    """One app sends ten times as many requests; while both wait, each gets about half of the tokens."""
    bench = Bench(slots=2)
    for number in range(100):
        bench.add(number, [number % 3 + 1, number + 1, 2], 10, "many")
    for number in range(100, 110):
        bench.add(number, [number % 3 + 1, number + 1, 2], 10, "few")
    while any(not bench.ends[number] for number in range(100, 110)):
        bench.step()
    tokens = {"many": 0, "few": 0}
    for number, answer in bench.answers.items():
        tokens["many" if number < 100 else "few"] += len(answer)
    assert tokens["many"] < 2 * tokens["few"] + 40


def test_resting_earns_no_credit() -> None:
    """An app that comes back does not shut out those that worked meanwhile; counters start anew after a quiet time."""
    shares = Shares()
    shares.arrived("a", [])
    shares.charge("a", 1000, generated=False)
    shares.arrived("b", ["a"])
    assert shares.of("b") == shares.of("a") == 1000
    shares.arrived("c", [])
    assert shares.of("c") == 0 == shares.of("a")


def test_more_conversations_than_slots_come_back_without_being_computed_again() -> None:
    """Three conversations take turns in one slot; each finds its history, moved out and back."""
    bench = Bench(slots=1, cache_ram=10_000)
    histories = [[number + 1] * 80 for number in range(3)]
    for turn in range(3):
        for number in range(3):
            request = 10 * turn + number
            bench.steps.clear()
            bench.add(request, histories[number], 4)
            bench.run()
            computed = sum(len(row.tokens) for step in bench.steps if step.prefill for row in step.rows)
            assert computed == 80 if turn == 0 else computed <= 4
            histories[number] = histories[number] + bench.answers[request] + [9, 8]


def test_what_ram_has_no_room_for_comes_back_from_disk() -> None:
    """Six conversations take turns in one slot, with RAM for one of them: each turn computes only what is new."""
    bench = Bench(slots=1, cache_ram=100, disk=10_000)
    histories = [[number + 1] * 80 for number in range(6)]
    for turn in range(3):
        for number in range(6):
            request = 10 * turn + number
            bench.steps.clear()
            bench.add(request, histories[number], 4)
            bench.run()
            computed = sum(len(row.tokens) for step in bench.steps if step.prefill for row in step.rows)
            assert computed == 80 if turn == 0 else computed <= 4
            histories[number] = histories[number] + bench.answers[request] + [9, 8]


def test_nobody_waits_for_the_disk_but_who_needs_it() -> None:
    """While a state is read, another request runs to its end; a state that is lost is computed."""
    bench = Bench(slots=1, cache_ram=0, disk=1000)
    for number in (1, 2):
        bench.add(number, [number] * 80, 2)
        bench.run()
    bench.add(3, [1] * 80 + [5], 2)
    bench.add(4, [7, 7, 7], 2)
    bench.stuck = True
    while not bench.ends[4]:
        bench.step()
    assert bench.reading == [1]
    assert not bench.answers[3]
    bench.stuck, bench.lossy = False, True
    bench.run()
    assert bench.answers[3] == alone([1] * 80 + [5], 2)


def test_a_state_is_written_once() -> None:
    """What came from disk and goes back there was not changed; a small part of a long state is not worth reading."""
    cache_ram = PromptCacheIndex(100, 1000)
    cache_ram.add(0, array("i", [1] * 90), "")
    assert cache_ram.add(0, array("i", [2] * 90), "") == [Demote(1), Save(0, 2)]
    assert cache_ram.best(array("i", [1] * 9 + [5]), "") == (0, 0)
    assert cache_ram.best(array("i", [1] * 60), "") == (1, 59)
    assert not cache_ram.in_ram(1)
    assert not cache_ram.in_ram(1)
    assert cache_ram.wanted() == [1]
    assert cache_ram.arrived(1) == [Demote(2)]
    assert cache_ram.in_ram(1)
    assert not cache_ram.used(1, 59)


def test_what_is_moved_out_stays_within_its_room() -> None:
    """The prompt cache stays within its bound, and evicts the sequence that was unused for longest."""
    cache_ram = PromptCacheIndex(200)
    saved = [cache_ram.add(0, array("i", [number] * 90), "") for number in range(1, 3)]
    assert saved == [[Save(0, 1)], [Save(0, 2)]]
    assert cache_ram.add(0, array("i", [3] * 90), "") == [Drop(1), Save(0, 3)]
    assert cache_ram.best(array("i", [3] * 50 + [1]), "") == (3, 50)
    assert cache_ram.best(array("i", [3] * 50), "other") == (0, 0)
    assert cache_ram.best(array("i", [1] * 50), "") == (0, 0)


def test_a_higher_priority_is_served_first() -> None:
    """Among waiting requests of one app: the higher priority, then the order of arrival."""
    bench = Bench(slots=1)
    ended: list[int] = []
    for request, priority in ((1, 0), (2, -10), (3, 0), (4, 10)):
        bench.answers[request], bench.ends[request] = [], []
        bench.scheduler.add(request, array("i", [request, 2, 3]), 2, "app", priority=priority)
    while bench.step():
        ended += [request for request in bench.ends if bench.ends[request] and request not in ended]
    assert ended == [4, 1, 3, 2]


def test_a_prompt_whose_logits_are_wanted_is_computed_whole() -> None:
    """Nothing comes from a cache, every token has logits, and no step has more of them than there is room for."""
    bench = Bench(batch=BATCH)
    bench.add(0, [1] * 80, 2)
    bench.run()
    bench.steps.clear()
    bench.scheduler = Scheduler(
        slots=4, context=CONTEXT, batch=BATCH, between_decodes=64, prefix_minimum=2, ends=[END], outputs=6
    )
    bench.model.slots = [array("i") for _ in range(4)]
    for number, scored in ((1, False), (2, True), (3, False)):
        bench.answers[number], bench.ends[number] = [], []
        bench.scheduler.add(number, array("i", [1] * 80), 1, "", scored=scored)
    rows = []
    while (step := bench.scheduler.plan()) is not None:
        bench.model.op(step.cache_ops)
        bench.scheduler.computed(step)
        rows += [row for row in step.rows if row.request == 2]
        for row in step.rows:
            bench.model.slots[row.slot].extend(row.tokens)
            if row.position + len(row.tokens) == 80:
                bench.scheduler.accept(row.request, 5)
    assert sum(len(row.tokens) for row in rows) == 80
    assert all(row.outputs == len(row.tokens) <= 6 for row in rows)


def test_prompts_that_fill_a_step_are_read_one_after_the_other() -> None:
    """The first answers begin early; short prompts share a step."""
    scheduler = Scheduler(slots=4, context=64, batch=16, between_decodes=64, prefix_minimum=2, ends=[END])
    for request in range(4):
        scheduler.add(request, array("i", [request + 1] * 15), 4, "app")
    step = scheduler.plan()
    assert step is not None
    assert [(row.request, len(row.tokens)) for row in step.rows] == [(0, 15)]
    scheduler = Scheduler(slots=4, context=64, batch=16, between_decodes=64, prefix_minimum=2, ends=[END])
    for request in range(4):
        scheduler.add(request, array("i", [request + 1] * 4), 4, "app")
    step = scheduler.plan()
    assert step is not None
    assert {row.request: len(row.tokens) for row in step.rows}.keys() >= {0, 1, 2}


def test_a_conversation_whose_answer_reads_otherwise_goes_on_in_its_slot() -> None:
    """Apps leave out what a model thought: the prompt is kept, nothing is copied or set aside, other slots stay."""
    scheduler = Scheduler(
        slots=3, context=512, batch=256, between_decodes=512, prefix_minimum=2, ends=[END], cache_ram=2000
    )
    prompt = array("i", range(1, 201))
    scheduler.add(1, prompt, 100, "app")
    while (step := scheduler.plan()) is not None:
        scheduler.computed(step)
        for row in step.rows:
            if row.outputs:
                scheduler.accept(row.request, 7)
    scheduler.add(2, prompt + array("i", [9] * 30), 4, "app")
    step = scheduler.plan()
    assert step is not None
    assert step.cache_ops == (Trim(0, 200, 200),)
    assert [(row.slot, row.position, len(row.tokens)) for row in step.rows] == [(0, 200, 30)]


def test_gaps_are_closed_in_a_step_of_their_own() -> None:
    """No slot that is cut, filled or lost in a step has another number at its end, and gaps are closed all the same."""
    swaps = 0
    for seed in range(12):
        chance, bench = random.Random(seed), Bench(slots=4)
        for number in range(40):
            tail = [chance.randrange(1, 4) for _ in range(chance.choice([1, 2, 20]))]
            bench.add(number, [1] * 12 + tail, chance.choice([3, 30, 60]))
            if chance.random() < 0.3:
                bench.scheduler.cancel(chance.randrange(number + 1))
            for _ in range(chance.randrange(12)):
                bench.step()
        bench.run()
        moved = [step.cache_ops for step in bench.steps if any(isinstance(op, Swap) for op in step.cache_ops)]
        assert all(len(cache_ops) == 1 for cache_ops in moved)
        swaps += len(moved)
    assert swaps


@pytest.mark.parametrize("slots", [1, 2])
def test_a_cut_behind_a_picture_says_where_it_ends(slots: int) -> None:
    """A picture of 40 tokens takes 8 positions, so 45 tokens end at 13: cut in their slot, or copied to another."""
    scheduler = Scheduler(slots=slots, context=512, batch=256, between_decodes=64, prefix_minimum=2, ends=[END])
    prompt = array("i", [1, 2, 3, *[-5] * 40, 7, 8])
    spans = (MediaSpan(start=3, tokens=40, positions=8, medium=0, part=0),)
    scheduler.add(1, prompt + array("i", [9] * 9), 30, "app", spans=spans)
    for _ in range(6):
        step = scheduler.plan()
        assert step is not None
        scheduler.computed(step)
        for row in step.rows:
            if row.outputs:
                scheduler.accept(row.request, 7)
    if slots == 1:
        scheduler.cancel(1)
    scheduler.add(2, prompt + array("i", [6] * 9), 4, "app", spans=spans)
    step = scheduler.plan()
    assert step is not None
    assert step.cache_ops == ((Trim(0, 45, 13),) if slots == 1 else (Copy(0, 1, 45, 13),))


def test_what_was_lost_is_computed_again() -> None:
    """A sequence whose state could not be put back is read from its beginning, and answered all the same."""
    bench = Bench(slots=2)
    bench.add(0, [1] * 20, 3)
    bench.run()
    bench.add(1, [1] * 20 + bench.answers[0] + [2] * 5, 3)
    step = bench.scheduler.plan()
    assert step is not None
    (slot,) = (row.slot for row in step.rows)
    bench.scheduler.lose([slot])
    del bench.model.slots[slot][:]
    bench.steps.clear()
    bench.run()
    assert bench.answers[1] == alone([1] * 20 + bench.answers[0] + [2] * 5, 3)
    assert bench.steps[0].rows[0].position == 0
