"""Signing in with an API key, and signing out. The key itself is never kept, nor put into a cookie."""

from gateway.console.door import Door
from gateway.console.views.view import Ask, Moved, Shown

_FORM = "login.html"


class Login:
    """The view with the form, and what the form does."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def show(self, ask: Ask) -> Shown:
        """Return the form."""
        return form(status=200, wrong=False)

    async def act(self, ask: Ask) -> Shown | Moved:
        """Begin a session, or show the form again."""
        session = self._door.enter(ask.form.get("key", ""))
        return form(status=401, wrong=True) if session is None else Moved(to="/", session=session)


class Logout:
    """Action of the button for signing out; the session itself is ended by the console, which has the cookie."""

    async def act(self, ask: Ask) -> Shown | Moved:
        """End the cookie, and show the form."""
        return Moved(to="/console/login", session="")


def form(*, status: int, wrong: bool) -> Shown:
    """Return the form, as a page that is not for this visitor."""
    return Shown(template=_FORM, title="Sign in", values={"wrong": wrong}, status=status)
