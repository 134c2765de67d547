"""What the user has configured, under audit: own words and patterns, and the user's own policy."""

from collections.abc import Callable, Mapping

import msgspec

from gateway.app.keys.stored_keys import stored_keys, with_keys
from gateway.cli.audit.cases import AuditCase, Numbers, clean_one, through_all
from gateway.cli.audit.client import AuditClient, Result
from gateway.cli.audit.gateway import Running, Setup, started
from gateway.cli.audit.planted.encodings import CANARIES
from gateway.cli.audit.recorder import Mode
from gateway.core.labels import Label
from gateway.policy import Policy
from gateway.policy.evaluation.labels import label_of_category
from gateway.settings import Settings

_MOST_WORDS = 5  # of each list


def own_texts(settings: Settings, notes: list[str]) -> Mapping[str, str]:
    """Return texts that the user's own words and lists must find, by a name of their own."""
    texts: dict[str, str] = {}
    for name, words in settings.inspection.words.items():
        for number, word in enumerate(words[:_MOST_WORDS], 1):
            texts[f"custom.{name} {number}"] = f"Escribe sobre {word} para mañana."
    if settings.inspection.patterns:
        names = ", ".join(sorted(settings.inspection.patterns))
        notes.append(f"Your patterns ({names}) are in force, but no text is made up for them: try one with 'explain'.")
    return texts


def own_policy(
    setup: Setup, client: Callable[[Running], AuditClient], numbers: Numbers, notes: list[str]
) -> list[Result]:
    """Send canaries under the user's policy, marked with every tag that lowers a label, while home works and while not.

    Only categories that this policy calls sensitive count; it may let others out, masked or as they are.
    """
    settings = setup.settings
    assert settings is not None
    from gateway.cli.policies import load_with

    policy = load_with(settings, with_keys(settings.catalog(), stored_keys(settings), settings), ())
    allowed = {canary.category for canary in CANARIES if _label(canary.category, policy) < Label.SENSITIVE}
    if allowed:
        listed = ", ".join(sorted(allowed))
        notes.append(f"Your policy does not call these sensitive, so they were not tried under it: {listed}.")
    tags = sorted(tag for tag, label in policy.labels.tags.items() if label < Label.SENSITIVE)
    headers = (("x-aduana-tags", ", ".join(tags[:16])),) if tags else ()
    model = next(iter(settings.aliases()))
    results: list[Result] = []
    for group, mode in (("your policy", Mode.OK), ("your policy, home down", Mode.REFUSE)):
        cases = [case for case in through_all(group, numbers) if case.category not in allowed]
        cases.append(clean_one(group, numbers))
        with started(setup, setup.write(own_policy=True)) as gateway:
            asking = client(gateway)
            asking.strict = False
            asking.home.behave(mode)
            try:
                results += asking.ask(_as(case, model, headers) for case in cases)
            finally:
                asking.home.behave(Mode.OK)
    clean = [result for result in results if not result.case.sensitive]
    if all(result.where != "cloud" for result in clean):
        notes.append("Under your policy no clean request of these went to a cloud target either.")
    return [result for result in results if result.case.sensitive]


def _as(case: AuditCase, model: str, headers: tuple[tuple[str, str], ...]) -> AuditCase:
    return msgspec.structs.replace(case, body=case.body | {"model": model}, headers=headers)


def _label(category: str, policy: Policy) -> Label:
    return label_of_category(category, policy.labels)
