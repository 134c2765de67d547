"""The inspector as the configuration describes it, for commands that look at single requests."""

from typing import TYPE_CHECKING

from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.privacy import Inspector


def inspector_of(settings: Settings) -> "Inspector":
    """An inspector with the users' own words and patterns, as the gateway itself makes it."""
    from gateway.app.rooms import inspection_settings
    from gateway.privacy import Inspector

    return Inspector(inspection_settings(settings), cache_dir=settings.state_dir)
