"""The rule that says which models are evicted for another: enough of them, and no more."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.engine.llama.footprint import MemoryFootprint
from gateway.local.models.eviction import LoadedModel, MemoryLimits, plan_eviction, within

NEEDS = st.builds(
    lambda weights, gpu: MemoryFootprint(weights=weights, gpu=min(weights, gpu)), st.integers(0, 20), st.integers(0, 20)
)
BOUNDS = st.none() | st.integers(1, 40)


@given(
    st.lists(st.tuples(NEEDS, st.booleans(), st.integers(0, 99)), max_size=6),
    NEEDS,
    st.builds(MemoryLimits, memory=BOUNDS, gpu_memory=BOUNDS, spare_ram=BOUNDS, spare_gpu=BOUNDS),
)
def test_evictions_are_enough_and_not_too_many(
    given_: list[tuple[MemoryFootprint, bool, int]], footprint: MemoryFootprint, limits: MemoryLimits
) -> None:
    """Without the evicted models the new one fits, with any one of them it would not; it is impossible only for a model
    that does not fit alone.
    """
    loaded = [
        LoadedModel(name=str(n), footprint=one, working=works, used=used) for n, (one, works, used) in enumerate(given_)
    ]
    found = plan_eviction(footprint, loaded, limits)
    assert found.possible == within(limits, [footprint])
    if found.possible:
        stays = [one.footprint for one in loaded if one.name not in found.evict]
        assert within(limits, [footprint, *stays])
        for name in found.evict:
            assert not within(limits, [footprint, loaded[int(name)].footprint, *stays])
