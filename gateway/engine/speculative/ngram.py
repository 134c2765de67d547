"""N-gram drafts of speculative decoding: what followed the last few tokens before may follow them again. Pure."""

from array import array

_LENGTH = 3  # tokens that must have stood together before


_MOST_INDEXED = 4096  # positions that are indexed in one call, so that no step waits for a long prompt


class NgramProposer:
    """Index of where the tokens of a sequence stood before in it, three at a time."""

    def __init__(self) -> None:
        self._after: dict[tuple[int, int, int], int] = {}  # three tokens → the position behind where they stood last
        self._indexed = 0  # positions whose three tokens are in the index

    def propose(self, tokens: "array[int]", most: int) -> list[int]:
        """Return up to `most` tokens that may follow `tokens`, which only grows from call to call."""
        last = len(tokens) - _LENGTH
        if last <= 0 or most <= 0:
            return []
        stop = min(last, self._indexed + _MOST_INDEXED)  # the last three stay out: they would find themselves
        if stop == self._indexed + 1:  # one more token, as after nearly every step
            self._after[tokens[stop - 1], tokens[stop], tokens[stop + 1]] = stop + 2
            self._indexed = stop
        elif stop > self._indexed:
            part = tokens[self._indexed : stop + _LENGTH - 1]
            triples = zip(part, part[1:], part[2:], strict=False)
            self._after.update(zip(triples, range(self._indexed + _LENGTH, stop + _LENGTH), strict=False))
            self._indexed = stop
        place = self._after.get((tokens[-3], tokens[-2], tokens[-1]))
        if place is None:
            return []
        found = tokens[place : place + most].tolist()
        if min(found) < 0:  # a picture stood there
            return found[: next(at for at, token in enumerate(found) if token < 0)]
        period = len(tokens) - place
        while len(found) < most:  # it repeats itself
            found.append(found[len(found) - period])
        return found
