"""What the campaign asks, drawn from one seed: a planted value in a place of a dialect, disguised; or nothing."""

import random
from collections.abc import Callable, Sequence

import msgspec

from gateway.cli.audit.cases import CLEAN, AuditCase, Numbers, planted, released
from gateway.cli.audit.client import AuditClient
from gateway.cli.audit.gateway import Running
from gateway.cli.audit.planted.dialects import PLACES, TALKING
from gateway.cli.audit.planted.encodings import CANARIES, disguises
from gateway.cli.audit.recorder import Mode

CLEAN_SHARE = 0.08  # of the requests, in which there is nothing to find: they show that the way to the cloud is open
_DISGUISED_SHARE = 0.3
_FEWEST, _MOST = 60, 140  # requests in one weather
_FAILING = (Mode.ERROR, Mode.BUSY, Mode.TOO_LONG, Mode.REFUSE, Mode.CUT)
_EVERY_PLACE = tuple(
    (f"{dialect}, {name}", place) for dialect, places in PLACES.items() for name, place in places.items()
)
_DISGUISES = tuple(disguises())


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong for a while, and for how many requests. `act`: something that happens once, in their middle."""

    name: str
    requests: int
    home: tuple[Mode, ...] = (Mode.OK,)
    cloud: tuple[Mode, ...] = (Mode.OK,)
    act: "Act | None" = None
    closed: bool = False  # whether clean requests need not reach the cloud


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is done to the gateway while it is asked. `closes`: the cloud may be out of reach behind it."""

    name: str
    do: Callable[[Running], None]
    closes: bool


class Plan:
    """Source of requests and of what goes wrong meanwhile; the same seed gives the same ones."""

    def __init__(self, seed: int, acts: Sequence[Act]) -> None:
        """`acts`: what may be done to the gateway."""
        self._draw = random.Random(seed)
        self._numbers = Numbers()
        self._acts = tuple(acts)
        self._begun = False

    def weather(self) -> Weather:
        """Return what goes wrong next."""
        draw = self._draw
        if not self._begun:  # all is well first, so that harmless requests can show that the way is open
            self._begun = True
            return Weather(name="calm", requests=_FEWEST)
        home, cloud = self._modes(), self._modes()
        act = draw.choice(self._acts) if self._acts and draw.random() < 0.4 else None
        names = [f"home {'+'.join(mode.name for mode in home)}", f"cloud {'+'.join(mode.name for mode in cloud)}"]
        return Weather(
            name=", ".join([*names, *([act.name] if act else [])]),
            requests=draw.randint(_FEWEST, _MOST),
            home=home,
            cloud=cloud,
            act=act,
            closed=cloud != (Mode.OK,) or (act is not None and act.closes),
        )

    def case(self, group: str) -> AuditCase:
        """Return the next request."""
        draw = self._draw
        if draw.random() < CLEAN_SHARE:
            name, place = draw.choice(tuple(TALKING.items()))
            return released(group, f"clean, {name}", place, self._numbers.marker(), draw.choice(CLEAN))
        if draw.random() < _DISGUISED_SHARE:
            canary, disguise, text = draw.choice(_DISGUISES)
            name, place = draw.choice(tuple(TALKING.items()))
            return planted(group, f"{canary.name}, {disguise}, {name}", place, canary, text, self._numbers)
        canary, (name, place) = draw.choice(CANARIES), draw.choice(_EVERY_PLACE)
        return planted(group, f"{canary.name}, {name}", place, canary, canary.text, self._numbers)

    def control(self) -> AuditCase:
        """Return a request that must be judged a leak: a harmless text, which goes to the cloud, called private."""
        case = released("control", "a leak on purpose", TALKING["chat"], self._numbers.marker(), CLEAN[0])
        return msgspec.structs.replace(case, sensitive=True, values=(CLEAN[0],))

    def leaves_early(self) -> float | None:
        """Return the seconds after which the next client goes away; None: it waits for its answer."""
        return self._draw.uniform(0.0, 0.05) if self._draw.random() < 0.02 else None

    def _modes(self) -> tuple[Mode, ...]:
        draw = self._draw
        if draw.random() < 0.45:
            return (Mode.OK,)
        modes = tuple(draw.choices(_FAILING, k=draw.randint(1, 4)))
        return (*modes, draw.choice((Mode.OK, *modes)))


def calm(asking: AuditClient) -> None:
    """Let both recorders answer again."""
    asking.home.behave(Mode.OK)
    asking.cloud.behave(Mode.OK)
