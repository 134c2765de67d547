"""What a reading means: it only ever adds, and takes a doubt away only where everything that must hold does hold."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.attachment import FileKind, Piece, Reading
from gateway.core.finding import Doubt, Finding, Inspection
from gateway.core.request import Media
from gateway.pipeline.attachments.attached import Attached, AttachedItem, as_document
from gateway.pipeline.attachments.found import Found

PARTS = ("$.messages[0].content[0]", "$.messages[0].content[1]")
REASONS = ("image", "file", "unreadable_blob", "time", "depth")
FOUND = Finding(detector="t", category="id.national", path="$.pages[0]", start=0, end=4, confidence=1.0)

doubts = st.lists(
    st.builds(
        lambda reason, path: Doubt(reason=reason, path=path),
        st.sampled_from(REASONS),
        st.sampled_from((*PARTS, f"{PARTS[0]}.image_url.url", "$", "$.messages[1].content")),
    ),
    max_size=6,
).map(tuple)
readings = st.one_of(
    st.none(),
    st.builds(
        lambda kind, whole, reasons: Reading(
            kind=kind, pieces=(Piece(place="page 1", text="text"),), pages=1, whole=whole, reasons=reasons
        ),
        st.sampled_from((FileKind.PDF, FileKind.SOUND)),
        st.booleans(),
        st.sampled_from(((), ("low_confidence",))),
    ),
)
items = st.builds(
    lambda part, reading, alone, findings, doubts: AttachedItem(
        found=Found(path=part, part=part, medium=Media.FILE, data=b"x", alone=alone),
        reading=reading,
        text=as_document(reading.pieces) if reading is not None else None,
        inspection=Inspection(findings=findings, doubts=doubts) if reading is not None else Inspection(),
    ),
    st.sampled_from(PARTS),
    readings,
    st.booleans(),
    st.sampled_from(((), (FOUND,))),
    st.sampled_from(((), (Doubt(reason="time", path="$"),))),
)
attached = st.lists(items, max_size=3).map(tuple)


@given(doubts, attached)
def test_without_the_setting_nothing_is_taken_away(doubts: tuple[Doubt, ...], items: tuple[AttachedItem, ...]) -> None:
    """Whatever was read, every finding and every doubt of before is still there."""
    own = Inspection(findings=(FOUND,), doubts=doubts)
    joined = Attached(items=items).joined(own)
    assert joined.findings[:1] == own.findings
    assert joined.doubts[: len(doubts)] == doubts
    assert not any(one.left for one in joined.attachments)


@given(doubts, attached)
def test_a_doubt_falls_only_with_a_clean_part(doubts: tuple[Doubt, ...], items: tuple[AttachedItem, ...]) -> None:
    """With the setting, what falls lies in a part of which all was read, is clean, alone and of a permitted kind."""
    own = Inspection(doubts=doubts)
    joined = Attached(items=items, may_leave=frozenset({FileKind.PDF})).joined(own)
    fallen = [doubt for doubt in doubts if doubt not in joined.doubts]

    def permitted(item: AttachedItem) -> bool:
        read, seen = item.reading, item.inspection
        clean = read is not None and read.whole and not read.reasons and read.kind is FileKind.PDF
        return clean and item.found.alone and not seen.findings and not seen.doubts

    for doubt in fallen:
        assert doubt.reason in ("image", "file", "unreadable_blob")
        about = [item for item in items if doubt.path == "$" or doubt.path.startswith(item.found.part)]
        assert about
        assert all(map(permitted, about))
    for item in items:
        if not permitted(item):
            assert "$" not in [doubt.path for doubt in fallen]


def test_a_finding_stands_where_it_was_read() -> None:
    """A finding's place is the attachment's and the piece's; of what is in no piece it is the attachment's."""
    reading = Reading(
        kind=FileKind.PDF, pieces=(Piece(place="page 1", text="a"), Piece(place="", text="b")), whole=True
    )
    seams = msgspec.structs.replace(FOUND, path="$")
    item = AttachedItem(
        found=Found(path='$.messages[0].file "a.pdf"', part=PARTS[0], medium=Media.FILE),
        reading=reading,
        inspection=Inspection(findings=(FOUND, msgspec.structs.replace(FOUND, path="$.pages[1]"), seams)),
    )
    joined = Attached(items=(item,)).joined(Inspection())
    assert [finding.path for finding in joined.findings] == [
        '$.messages[0].file "a.pdf" page 1',
        '$.messages[0].file "a.pdf"',
        '$.messages[0].file "a.pdf"',
    ]
