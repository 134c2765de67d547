"""Whether anybody is believed who is set up to say for whom it asks."""

from collections.abc import Iterator

from gateway.app.keys.stored_keys import stored_keys
from gateway.settings import Settings


def front_end_warnings(settings: Settings) -> Iterator[str]:
    """Explain in sentences why a front end's word counts for nothing; a start goes on."""
    front_end = settings.users.front_end
    if any(key.front_end for key in settings.keys.values()) or any(key.front_end for key in stored_keys(settings)):
        return
    if front_end.secret is not None or front_end.required:
        setting = "secret" if front_end.secret is not None else "required"
        yield (
            f"users.front_end.{setting}: no key is marked as a front end's, so nobody is believed who says for whom it "
            "asks. Write 'front_end: true' beside its key, or make one with 'aduana keys create --front-end'."
        )
