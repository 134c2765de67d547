"""What an examination found, in sentences for people: for the terminal and for the page. Pure."""

import enum
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import NamedTuple

from gateway.core.translation import Translator
from gateway.ledger.chain import Examined
from gateway.ledger.chain.findings import Claim, Fault, Problem

_MOST = 10  # faults of one kind that are told one by one
# What each fault says. Those with a link are told one by one, the others once.
FAULTS = {
    Fault.RECEIPT_CHANGED: "The receipt {request} of {time} was changed (link {number}).",
    Fault.RECEIPT_REMOVED: "A receipt of {time} was removed (link {number}), and nothing says why.",
    Fault.SETTLEMENT_CHANGED: "Where a request went was changed: its settlement of {time} (link {number}).",
    Fault.SETTLEMENT_REMOVED: "A settlement of {time} was removed (link {number}), and nothing says why.",
    Fault.SALT_REMOVED: "The salt of a record of {time} was removed (link {number}), so it can't be checked any more.",
    Fault.ADDED: "Records were added behind the gateway's back, for which no link stands: {count}.",
    Fault.LINK_MISSING: "Links were removed before link {number}, of {time}: {count}.",
    Fault.LINK_CHANGED: "Link {number}, of {time}, does not say what its receipt {request} says.",
    Fault.HEAD_DIFFERS: "The chain does not end as the ledger says: its last links were changed or removed.",
    Fault.NO_BEGINNING: "The chain has no beginning: its first links were removed, or there never was one.",
    Fault.CHECKPOINT_DIFFERS: "The checkpoint of {time} signed another chain up to link {number}: what it covers was "
    "changed or removed, and the chain computed anew. (A ledger that was put back from a backup looks like this too.)",
    Fault.CHECKPOINT_BEYOND: "The checkpoint of {time} covers more links than the ledger has, by {count}: the newest "
    "records were removed. (A ledger that was put back from a backup, or copied before that checkpoint, looks like "
    "this too.)",
    Fault.OTHER_CHAIN: "The same key signed checkpoints of another chain ({count}, the last one at {time}): the ledger "
    "was replaced by another one, and the records that they cover are not here.",
    Fault.FORGED: "Checkpoints name the key, and it did not sign them ({count}): somebody changed or made them.",
    Fault.OTHER_KEY: "None of the checkpoints ({count}) is signed by this key: they prove nothing.",
}


class Sign(enum.StrEnum):
    """What stands before a sentence."""

    PROVED = "proved"
    OPEN = "open"
    REFUTED = "refuted"
    NOTE = "note"


class Said(NamedTuple):
    """One sentence and its sign."""

    sign: Sign
    sentence: str


class Words:
    """Teller of an examination, in one language and one time zone."""

    def __init__(self, say: Translator, zone: tzinfo | None) -> None:
        self._say = say
        self._zone = zone

    def time(self, at: float) -> str:
        """Return a Unix time as day and time of day."""
        return f"{datetime.fromtimestamp(at, self._zone):%Y-%m-%d %H:%M}"

    def day(self, at: float) -> str:
        """Return the day of a Unix time."""
        return f"{datetime.fromtimestamp(at, self._zone):%Y-%m-%d}"

    def number(self, value: int) -> str:
        """Return a number with separators."""
        text = f"{value:,}"
        return text.replace(",", ".") if self._say.language == "es" else text

    def period(self, found: Examined) -> str:
        """Return the period in words."""
        say = self._say
        since = self.day(found.since) if found.since is not None else ""
        until = self.day(found.until - 1) if found.until is not None else ""
        if since and until:
            return say("{since} to {until}", since=since, until=until)
        if since:
            return say("from {since} on", since=since)
        return say("until {until}", until=until) if until else say("everything")

    def claims(self, found: Examined) -> list[Said]:
        """Return what was found about each claim."""
        return [said for claim in found.claims for said in self._claim(claim)]

    def _claim(self, claim: Claim) -> Iterator[Said]:
        say, value = self._say, self._say(claim.value) if claim.subject == "label" else claim.value
        count = self.number(claim.requests)
        label = claim.subject == "label"
        if claim.refuted:
            yield Said(
                Sign.REFUTED,
                say(
                    "Requests labelled {value} had a cloud among their permitted targets ({permitted} of {count}), "
                    "were answered by one ({answered}) or tried at one in vain ({tried}): {examples}."
                    if label
                    else "Requests tagged {value} had a cloud among their permitted targets ({permitted} of {count}), "
                    "were answered by one ({answered}) or tried at one in vain ({tried}): {examples}.",
                    count=count,
                    value=value,
                    permitted=self.number(claim.permitted),
                    answered=self.number(claim.answered),
                    tried=self.number(claim.tried),
                    examples=", ".join(claim.examples),
                ),
            )
        elif not claim.requests:
            yield Said(Sign.PROVED, self._none(claim, value))
        else:
            yield Said(
                Sign.PROVED,
                say(
                    "No request labelled {value} had a cloud among its permitted targets, none was answered by one or "
                    "tried at one ({count} of them)."
                    if label
                    else "No request tagged {value} had a cloud among its permitted targets, none was answered by one "
                    "or tried at one ({count} of them).",
                    value=value,
                    count=count,
                ),
            )
        if claim.erased:
            yield Said(
                Sign.PROVED,
                say(
                    "Of the requests that are erased by now, {count} had no cloud among their permitted targets and "
                    "were answered by none, whatever their tags were.",
                    count=self.number(claim.erased),
                ),
            )
        if claim.unknown:
            yield Said(
                Sign.OPEN,
                say(
                    "Some requests that are erased by now could go to a cloud ({count}); whether they were tagged "
                    "{value} is not known any more.",
                    count=self.number(claim.unknown),
                    value=value,
                ),
            )
        if claim.untold:
            yield Said(
                Sign.OPEN,
                say(
                    "Of some requests ({count}) it was not written down which of their targets are clouds.",
                    count=self.number(claim.untold),
                ),
            )

    def _none(self, claim: Claim, value: str) -> str:
        say = self._say
        if claim.subject == "label":
            return say("There was no request labelled {value}.", value=value)
        if claim.erased or claim.unknown:  # what was erased may have had the tag
            return say("No request tagged {value} is on record.", value=value)
        return say("There was no request tagged {value}.", value=value)

    def faults(self, found: Examined) -> list[Said]:
        """Return what is wrong with the ledger or the checkpoints."""
        by_kind: dict[Fault, list[Problem]] = {}
        for problem in found.problems:
            by_kind.setdefault(problem.fault, []).append(problem)
        said = []
        say, more = self._say, found.more_problems
        for problems in by_kind.values():
            said += [Said(Sign.REFUTED, self._fault(problem)) for problem in problems[:_MOST]]
            more += len(problems[_MOST:])
        if more:
            said.append(Said(Sign.REFUTED, say("… and {count} more.", count=self.number(more))))
        return said

    def _fault(self, problem: Problem) -> str:
        return self._say(
            FAULTS[problem.fault],
            request=problem.request_id,
            time=self.time(problem.at) if problem.at is not None else "–",
            number=self.number(problem.number),
            count=self.number(problem.count),
        )

    def integrity(self, found: Examined) -> list[Said]:
        """Return what is proved about the ledger being whole, up to which moment, and what is left open."""
        say, last, said = self._say, found.last_checkpoint, self.faults(found)
        if last is None:
            said.append(
                Said(
                    Sign.OPEN,
                    say(
                        "No checkpoint covers this ledger. Whoever can write it could have changed it, and computed "
                        "the chain anew."
                    ),
                )
            )
        elif not found.problems:
            said.append(
                Said(
                    Sign.PROVED,
                    say(
                        "Nothing was removed or changed up to the checkpoint of {time} (link {number}; checkpoints "
                        "that agree: {count}; signed by the key {key}).",
                        time=self.time(last.at),
                        number=self.number(last.number),
                        count=self.number(found.checkpoints),
                        key=last.key,
                    ),
                )
            )
        if last is not None and not found.elsewhere:
            said.append(
                Said(
                    Sign.OPEN,
                    say(
                        "The checkpoints come from the ledger itself: whoever can change it can remove the newest ones "
                        "too. Set ledger.checkpoints_to, and name that file with --checkpoints."
                    ),
                )
            )
        return said + list(self._ends(found)) + list(self._begins(found))

    def _ends(self, found: Examined) -> Iterator[Said]:
        say, last = self._say, found.last_checkpoint
        newest = found.own_newest
        if last is not None and found.unproved:
            sentence = "The last checkpoint is from {time}: nothing is proved after it. Later requests: {count}."
            yield Said(Sign.OPEN, say(sentence, time=self.time(last.at), count=self.number(found.unproved)))
        elif last is not None and found.until is not None and last.at < found.until:
            sentence = "The last checkpoint is from {time}, before the period ends: nothing is proved after it."
            yield Said(Sign.OPEN, say(sentence, time=self.time(last.at)))
        if newest is not None and found.elsewhere and not found.covered:
            sentence = (
                "The ledger itself has a newer checkpoint than the file, of {time}: the file was cut off, or could not "
                "be written."
            )
            yield Said(Sign.OPEN, say(sentence, time=self.time(newest.at)))
        if found.newer:
            sentence = (
                "The file has checkpoints for newer records than the ledger, from after the period: {count}. The "
                "ledger was copied before them, or those records were removed."
            )
            yield Said(Sign.NOTE, say(sentence, count=self.number(found.newer)))
        if found.unreadable:
            sentence = "Lines of the file that are cut off, or no checkpoints: {count}."
            yield Said(Sign.NOTE, say(sentence, count=self.number(found.unreadable)))
        if found.foreign and last is not None:
            sentence = "Lines that other keys signed prove nothing here: {keys}."
            yield Said(Sign.NOTE, say(sentence, keys=", ".join(found.foreign)))

    def _begins(self, found: Examined) -> Iterator[Said]:
        say, begun = self._say, found.begun
        if begun is None:
            return
        if found.before:
            sentence = "Requests of the period that came before the chain began, on {time}, are not covered: {count}."
            yield Said(Sign.OPEN, say(sentence, count=self.number(found.before), time=self.time(begun)))
        elif found.since is not None and begun > found.since:
            sentence = "The chain begins on {time}, after the period does: nothing is proved about the time before."
            yield Said(Sign.OPEN, say(sentence, time=self.time(begun)))
        if found.displaced:
            sentence = (
                "Requests that stand among those of the period in the chain, and carry another time, because the clock "
                "was set: {count}. They count as the period's."
            )
            yield Said(Sign.NOTE, say(sentence, count=self.number(found.displaced)))
        if found.erased or found.aged:
            sentence = (
                "Requests erased on demand: {erased}; removed because of their age: {aged}; both as it was written "
                "down. Of them the chain still knows time, label and zones."
            )
            yield Said(Sign.NOTE, say(sentence, erased=self.number(found.erased), aged=self.number(found.aged)))
        if found.other_chains:
            sentence = "Checkpoints of other ledgers in the file: {count}."
            yield Said(Sign.NOTE, say(sentence, count=self.number(found.other_chains)))
        if found.masked_out:
            sentence = (
                "Requests answered by a cloud that got pseudonyms in place of what was found: {count}. They count "
                "under the label that was left."
            )
            yield Said(Sign.NOTE, say(sentence, count=self.number(found.masked_out)))
