"""What policies see of attachments: how many, of which kinds, with how many pages, and how far they were read."""

import json

import msgspec
import pytest

from gateway.core.attachment import FileKind, SeenAttachment
from gateway.core.finding import Finding, Inspection
from gateway.policy import explain, facts_json
from gateway.policy.situations.recorded import evidence_from_facts
from tests.policy.house import HOUSE, ask, evidence_for, found, inbound, names, policy_of

PLACE = '$.messages[0].file "report.pdf"'


def attached(*attachments: SeenAttachment, doubts: tuple[str, ...] = ()) -> Inspection:
    return msgspec.structs.replace(found(doubts=doubts), attachments=attachments)


def pdf(pages: int = 1, *, read: bool = True, whole: bool = True, kind: FileKind = FileKind.PDF) -> SeenAttachment:
    return SeenAttachment(path=PLACE, kind=kind, pages=pages if read else 0, read=read, whole=read and whole)


@pytest.mark.parametrize(
    ("condition", "seen", "matches"),
    [
        ("{attachments: 0}", attached(), True),
        ("{attachments: {over: 1}}", attached(pdf(), pdf()), True),
        ("{attachment_kinds: [picture]}", attached(pdf(), pdf(kind=FileKind.PICTURE)), True),
        ("{attachment_kinds: [picture]}", attached(pdf()), False),
        ("{attachment_pages: {over: 20}}", attached(pdf(15), pdf(6)), True),
        ("{attachment_pages: {under: 20}}", attached(pdf(15), pdf(6)), False),
        ("{attachments_read: none}", attached(), True),
        ("{attachments_read: whole}", attached(pdf(), pdf()), True),
        ("{attachments_read: partly}", attached(pdf(), pdf(whole=False)), True),
        ("{attachments_read: unread}", attached(pdf(), pdf(read=False)), True),
        ("{attachments_read: whole}", attached(pdf(), pdf(read=False)), False),
    ],
)
def test_rules_ask_for_attachments(condition, seen, matches):
    """A rule that asks for attachments matches where the request has such."""
    policy = policy_of(f"labels: {{default: public}}\nrules: [{{name: asks, when: {condition}, only: [local]}}]", HOUSE)
    decided = ask(policy, seen=seen)
    assert ("asks" in decided.restrictions) is matches


def test_pages_that_nobody_counted_keep_at_home():
    """Where an attachment was not read its pages are unknown: what restricts applies, what permits does not."""
    unread = attached(pdf(read=False))
    keeps = "labels: {default: public}\nrules: [{name: k, when: {attachment_pages: {over: 20}}, only: [local]}]"
    permits = (
        "labels: {default: public}\nrules: [{name: k, when: {attachment_pages: {under: 20}}, prefer: [big, local]}]\n"
        "otherwise: {prefer: [local]}"
    )
    assert "big" not in names(ask(policy_of(keeps, HOUSE), seen=unread))
    assert "big" not in names(ask(policy_of(permits, HOUSE), seen=unread))


def test_an_explanation_tells_what_was_read_and_found_page_by_page():
    """Each attachment has a line: what it is, how far it was read and why no further, what was found where."""
    scanned = SeenAttachment(path=PLACE, kind=FileKind.PDF, pages=3, read=True, reasons=("low_confidence",))
    where = Finding(detector="t", category="id.national", path=f"{PLACE} page 2", start=0, end=9, confidence=1.0)
    seen = msgspec.structs.replace(attached(scanned, doubts=("file",)), findings=(where,))
    explanation = explain(evidence_for(inbound(), seen), policy_of("", HOUSE))
    line = f"attachment {PLACE}: pdf, 3 pages, read: in part (low_confidence); found page 2: id.national"
    assert line in explanation.label_steps
    assert json.loads(explanation.json())["attachments"][0]["read"] == "in part"


def test_recorded_facts_keep_attachments():
    """A decision about attachments can be made again from what was recorded of it, which has no name and no place."""
    seen = attached(pdf(4), pdf(read=False, kind=FileKind.PICTURE), doubts=("file",))
    facts = facts_json(evidence_for(inbound(), seen))
    assert b"report" not in facts
    again = evidence_from_facts(facts)
    rule = "{name: k, when: {attachments_read: unread, attachment_kinds: [pdf]}, only: [local]}"
    policy = policy_of(f"rules: [{rule}]", HOUSE)
    assert "k" in ask(policy, seen=again.inspection).restrictions
