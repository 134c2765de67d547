"""What an examination of the chain finds: what is wrong, what was asked about, what is not covered. Plain data."""

import enum

import msgspec

from gateway.ledger.chain.checkpoints import Checkpoint
from gateway.ledger.chain.links import LinkKind


class Fault(enum.StrEnum):
    """What is wrong with a ledger. Each of them says that somebody, or a broken disk, changed it."""

    RECEIPT_CHANGED = "receipt_changed"
    RECEIPT_REMOVED = "receipt_removed"
    SETTLEMENT_CHANGED = "settlement_changed"
    SETTLEMENT_REMOVED = "settlement_removed"
    SALT_REMOVED = "salt_removed"
    ADDED = "added"  # rows that no link stands for
    LINK_MISSING = "link_missing"
    LINK_CHANGED = "link_changed"  # a link does not say what its row says
    HEAD_DIFFERS = "head_differs"  # the links don't lead to the head that the ledger names
    NO_BEGINNING = "no_beginning"
    CHECKPOINT_DIFFERS = "checkpoint_differs"  # signed was another chain than this
    CHECKPOINT_BEYOND = "checkpoint_beyond"  # signed were more links than there are
    OTHER_CHAIN = "other_chain"  # the same key has signed another chain in this period
    FORGED = "forged"  # lines of checkpoints whose signature is wrong
    OTHER_KEY = "other_key"  # no line is signed by the key


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One fault and where it is."""

    fault: Fault
    number: int = 0  # of the link; 0: of none
    at: int | None = None  # Unix seconds
    request_id: str = ""
    count: int = 1


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked about requests with a label or a tag, and what was found.

    The claim holds where `permitted`, `answered`, `tried`, `untold` and `unknown` are all 0.
    """

    subject: str  # label, tag
    value: str
    requests: int = 0
    permitted: int = 0  # had a cloud among their permitted targets
    answered: int = 0  # were answered by a cloud
    tried: int = 0  # a cloud was tried, and did not answer
    untold: int = 0  # nobody wrote down which of their targets are clouds
    unknown: int = 0  # erased, with a cloud among their targets; nobody knows whether they had the tag
    erased: int = 0  # erased, whatever their tags were: no cloud among their targets, and none answered
    examples: tuple[str, ...] = ()

    @property
    def refuted(self) -> bool:
        """Return whether there is a request of which the opposite is known."""
        return bool(self.permitted or self.answered or self.tried)


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """One removal that was written down."""

    number: int  # of its link
    kind: LinkKind
    at: int
    first: int
    last: int


class Standing(enum.StrEnum):
    """The verdict."""

    PROVED = "proved"
    OPEN = "open"  # nothing speaks against it, and not everything is proved
    REFUTED = "refuted"


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an examination found. Times are Unix seconds."""

    chain: str = ""
    begun: int | None = None
    before: int = 0  # requests of the period that came before the chain
    links: int = 0
    last_at: int | None = None  # of the newest link
    since: float | None = None
    until: float | None = None
    requests: int = 0  # of the period, that the chain covers
    displaced: int = 0  # of them, that carry a time outside of it: the clock was set
    erased: int = 0  # of them, whose rows are gone as it was written down
    aged: int = 0
    removals: tuple[Removal, ...] = ()  # in the period or touching its requests
    places: tuple[tuple[int, str, int], ...] = ()  # (label, where it was answered, requests); "": by nobody
    masked_out: int = 0  # requests of the period that a cloud answered, with pseudonyms in them
    claims: tuple[Claim, ...] = ()
    problems: tuple[Problem, ...] = ()
    more_problems: int = 0  # beyond those
    checkpoints: int = 0  # whose signature is right and which agree with the chain
    first_checkpoint: Checkpoint | None = None
    last_checkpoint: Checkpoint | None = None
    unproved: int = 0  # requests of the period behind the last checkpoint
    newer: int = 0  # checkpoints for links that the ledger does not have, where the period ended before
    own_newest: Checkpoint | None = None  # in the ledger itself, newer than the last of the file
    elsewhere: bool = False  # the checkpoints come from a file, not from the ledger itself
    unreadable: int = 0  # lines of the file
    foreign: tuple[str, ...] = ()  # fingerprints of other keys in it
    other_chains: int = 0  # checkpoints of other chains, from before the period

    @property
    def covered(self) -> bool:
        """Return whether every request that the period can have had is covered by a checkpoint from elsewhere.

        Where no end was asked for, the file must be as new as the ledger itself.
        """
        last = self.last_checkpoint
        if last is None or self.begun is None or not self.elsewhere or self.unproved:
            return False
        begins = self.begun <= self.since if self.since is not None else not self.before
        ends = last.at >= self.until if self.until is not None else self.own_newest is None
        return begins and ends and not self.before

    @property
    def standing(self) -> Standing:
        """Return the verdict about all of it together."""
        if self.problems or any(claim.refuted for claim in self.claims):
            return Standing.REFUTED
        if not self.covered or any(claim.untold or claim.unknown for claim in self.claims):
            return Standing.OPEN
        return Standing.PROVED
