"""ZIP files, as archives and as what office documents stand in: every member, with caps before it is unpacked."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from gateway.attachments.worker.parts import Budget, Reason

_MOST_MEMBERS = 10_000
_HEADER, _LISTED, _END = 30, 46, 22  # bytes before a member's name, before one in the list, of the list's end
_DESCRIPTOR = re.compile(rb"(?:PK\x07\x08)?.{12}(?:.{8})?\0*", re.DOTALL)  # behind a member: checksum and sizes
_END_64 = re.compile(rb"PK\x06\x06.{52}PK\x06\x07.{16}", re.DOTALL)
_LETTERS = re.compile(rb"[ -~]{8}")
_ENCRYPTED, _DESCRIBED = 0x1, 0x8
# Extra fields that say times, owners' numbers, sizes and alignment, with the most bytes that they take for that.
_EXTRA = {0x0001: 28, 0x000A: 36, 0x5455: 13, 0x5855: 12, 0x7855: 4, 0x7875: 15, 0xCAFE: 0}
_PADDING = {0xA220: 4, 0xD935: 2}  # nothing but zeros behind so many bytes


class ZipFile:
    """A ZIP file. `reasons` grows while members are read: why not all of it could be."""

    def __init__(self, data: bytes) -> None:
        """Open it.

        Raises:
            zipfile.BadZipFile: it has no list of members, or a wrong one.
        """
        self._data = data
        try:
            self._file = zipfile.ZipFile(BytesIO(data))
        except (ValueError, NotImplementedError, OSError, OverflowError) as error:
            raise zipfile.BadZipFile from error
        self.reasons: dict[Reason, None] = {}
        self.members = [member for member in self._file.infolist() if not member.is_dir()]
        names = [member.filename for member in self.members]
        if len(set(names)) < len(names) or self._hides_something():
            self.reasons[Reason.POLYGLOT] = None
        if any(self._says_more(member) for member in self._file.infolist()) or not self._ends():
            self.reasons[Reason.OBJECT] = None
        if len(self.members) > _MOST_MEMBERS:
            self.reasons[Reason.TOO_LARGE] = None
            del self.members[_MOST_MEMBERS:]

    @property
    def comments(self) -> Iterator[str]:
        """Comments of the file and of its members."""
        for comment in (self._file.comment, *(member.comment for member in self.members)):
            if comment:
                yield comment.decode("utf-8", "replace")

    def read(self, member: zipfile.ZipInfo, budget: Budget) -> bytes | None:
        """Return the content of a member; None where it can't be read, for a reason in `reasons`.

        Raises:
            BudgetSpent: it is larger than what is left.
        """
        if member.flag_bits & _ENCRYPTED:
            self.reasons[Reason.ENCRYPTED] = None
            return None
        budget.unpack(member.file_size)
        try:
            return self._file.read(member)  # never more than the size that it says
        except NotImplementedError:
            self.reasons[Reason.UNREADABLE] = None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
            self.reasons[Reason.BROKEN] = None
        return None

    def all(self, budget: Budget) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
        """Yield each member with its content; those that can't be read are left out.

        Raises:
            BudgetSpent: the next one is larger than what is left.
        """
        for member in self.members:
            content = self.read(member, budget)
            if content is not None:
                yield member, content

    def _hides_something(self) -> bool:
        """Say whether there are bytes that no member in the list accounts for: others may read them as members."""
        end, described = 0, False
        for member in sorted(self._file.infolist(), key=lambda one: one.header_offset):
            at = member.header_offset
            if not _is_gap(self._data[end:at], described=described):
                return True
            name, extra = self._lengths(at)
            end = max(end, at + _HEADER + name + extra + member.compress_size)
            described = bool(member.flag_bits & _DESCRIBED)
        return not _is_gap(self._data[end : self._file.start_dir], described=described)

    def _says_more(self, member: zipfile.ZipInfo) -> bool:
        """Say whether an extra field of a member, in the list or before its content, is of no known kind."""
        name, extra = self._lengths(member.header_offset)
        at = member.header_offset + _HEADER + name
        return not (
            _is_plain(member.extra, member.filename) and _is_plain(self._data[at : at + extra], member.filename)
        )

    def _lengths(self, at: int) -> tuple[int, int]:
        lengths = self._data[at + 26 : at + _HEADER]
        return int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")

    def _ends(self) -> bool:
        """Say whether nothing stands between the list and its end, and nothing behind that."""
        at = self._file.start_dir
        while self._data[at : at + 4] == b"PK\1\2":
            lengths = self._data[at + 28 : at + 34]
            at += _LISTED + sum(int.from_bytes(lengths[start : start + 2], "little") for start in (0, 2, 4))
        if (found := _END_64.match(self._data, at)) is not None:
            at = found.end()
        end = at + _END + len(self._file.comment)
        return self._data[at : at + 4] == b"PK\5\6" and not self._data[end:].strip(b"\0")


def _is_gap(data: bytes, *, described: bool) -> bool:
    """Say whether bytes between members say nothing: zeros, or what describes the member before them."""
    return not data.strip(b"\0") or (described and _DESCRIPTOR.fullmatch(data) is not None)


def _is_plain(extra: bytes, name: str) -> bool:
    """Say whether extra fields say nothing but what is known of them."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = int.from_bytes(extra[at : at + 2], "little"), int.from_bytes(extra[at + 2 : at + 4], "little")
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == 0x7075:  # the name once more
            plain = body[5:].decode("utf-8", "replace") == name
        elif kind in _PADDING:
            plain = not body[_PADDING[kind] :].strip(b"\0")
        elif kind == 0x000A and _LETTERS.search(body):  # no times of these centuries
            plain = False
        else:
            plain = length <= _EXTRA.get(kind, -1)
        if not plain:
            return False
    return not extra[at:].strip(b"\0")
