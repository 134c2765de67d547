"""What a server has under way: by its own pages, and by what was sent to it since."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.http.servers.load import ServerLoad, ToldLoad, told_by_metrics, told_by_slots

VLLM = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3 {32B} AWQ"} 12.0
vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3 {32B} AWQ"} 3.0
vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3 {32B} AWQ"} 5.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 5.0
vllm:kv_cache_usage_perc{engine="0"} 0.4
"""


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (VLLM, ToldLoad(running=15, waiting=5)),
        (b'sglang:num_running_reqs{model_name="m"} 4\nsglang:num_queue_reqs{model_name="m"} 2 1700000000000\n',
         ToldLoad(running=4, waiting=2)),
        (b"llamacpp:requests_processing 4\nllamacpp:requests_deferred 46\n", ToldLoad(running=4, waiting=46)),
        (b"tgi_batch_current_size 7\ntgi_queue_size 1\n", ToldLoad(running=7, waiting=1)),
        (b"llamacpp:requests_processing 0\n", ToldLoad(running=0)),
        (b"vllm:num_requests_running NaN\n", None),
        (b"vllm:num_requests_running -3\n", None),
        (b"vllm:num_requests_running 1e300\n", None),
        (b"vllm:num_requests_running\n", None),
        (b"process_cpu_seconds_total 3\n", None),
        (b"", None),
    ],
)  # fmt: skip
def test_metrics_of_servers_are_read(page: bytes, told: ToldLoad | None) -> None:
    """vLLM (several engines too), SGLang, llama-server and TGI tell what runs and waits; nonsense tells nothing."""
    assert told_by_metrics(page) == told


@given(st.binary(max_size=200))
def test_no_page_is_too_strange(page: bytes) -> None:
    """Whatever stands on a page, it is a load or none."""
    told_by_metrics(b"vllm:num_requests_running" + page)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([{"id": 0, "is_processing": True}, {"id": 1, "is_processing": False}], ToldLoad(running=1)),
        ([{"id": 0}], None),
        ([], None),
        ({"error": {"code": 501}}, None),
        (["is_processing", None, 3], None),
    ],
)
def test_slots_of_llama_server_are_counted(document: object, told: ToldLoad | None) -> None:
    """Its list of slots tells which are busy; anything else tells nothing."""
    assert told_by_slots(msgspec.json.decode(msgspec.json.encode(document))) == told


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_others_send_counts_too() -> None:
    """Between two looks, what was sent since is added to what the server told."""
    load = ServerLoad(Clock())
    first = load.begin()
    load.hear(ToldLoad(running=10, waiting=2))
    assert (load.all, load.own, load.waiting) == (12, 1, 2)
    load.begin()
    assert load.all == 13
    load.end(first, answered=True)
    assert load.all == 12


def test_what_was_told_gets_old() -> None:
    """A server that no longer tells counts by what this gateway has there; never by less."""
    clock = Clock()
    load = ServerLoad(clock)
    load.begin()
    load.hear(ToldLoad(running=40, waiting=20))
    clock.now += 60
    assert (load.all, load.waiting) == (1, 0)
    load.begin()
    load.hear(ToldLoad(running=0))
    assert load.all == 2


def test_only_answers_say_how_long_a_request_takes() -> None:
    """Failing is quick: a server that fails all it gets must not look like the fastest one."""
    clock = Clock()
    load = ServerLoad(clock)
    failed = load.begin()
    load.end(failed, answered=False)
    assert load.seconds is None
    begun = load.begin()
    clock.now += 4
    load.end(begun, answered=True)
    assert load.seconds == 4
