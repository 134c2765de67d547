"""What is recorded of a request, to decide it again later."""

import json

from gateway.policy import facts_json
from tests.policy.house import chat, evidence_for, found, inbound


def test_recorded_facts_hold_no_content():
    """Recorded facts have no text, header value or place in the document, and no model name that is none."""
    asked = inbound(chat("what is this, a diary?"), headers={"x-secret": "hunter2"}, tags=("health",))
    facts = facts_json(evidence_for(asked, found("secret.token"))).decode()
    for hidden in ("diary", "hunter2", "Hello", "messages"):
        assert hidden not in facts
    assert json.loads(facts_json(evidence_for(inbound(chat("gpt-5.4")))))["model"] == "gpt-5.4"
