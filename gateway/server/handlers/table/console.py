"""Rows of the console: its views, its forms, and the files that its pages load."""

from collections.abc import Callable, Iterator

from aiohttp.typedefs import Handler

from gateway.server.handlers.table.route import CHAT, Access, Handlers, HttpRoute, Work

_VIEWS = (
    ("/", "overview", "Show how the gateway is doing."),
    ("/console/savings", "savings", "Show what was saved, day by day."),
    ("/console/requests", "requests", "Show past requests."),
    ("/console/requests/{id}", "request", "Show one request, and why it went where it went."),
    ("/console/try", "trial", "Show the form that says what would happen with a text."),
    ("/console/chat", "chat", "Show the chat to try a model."),
    ("/console/models", "models", "Show the models on this machine."),
    ("/console/policy", "policy", "Show the policy in force with its proofs."),
    ("/console/keys", "keys", "Show keys, what they used, and budgets."),
    ("/console/health", "health", "Show what is wrong, and what to do about it."),
    ("/console/guide", "guide", "Show the first page of the guide."),
    ("/console/guide/{page}", "guide", "Show a page of the guide."),
    ("/console/login", "login", "Show the form for signing in."),
)
_FORMS = (
    ("/console/login", "login", Work.WATCHES, "Begin a session with an API key."),
    ("/console/logout", "logout", Work.WATCHES, "End a session."),
    ("/console/try", "trial", Work.MEASURES, "Explain the decision about a text that was typed; send it nowhere."),
    ("/console/models/{target}/load", "load", Work.MANAGES, "Load a model, and show the models."),
    ("/console/models/{target}/unload", "unload", Work.MANAGES, "Unload a model, and show the models."),
    ("/console/policy", "policy", Work.MEASURES, "Try a changed policy on the requests of last month."),
)
FILES = ("console.css", "uplot.css", "console.js", "chart.js", "chat.js", "htmx.js", "uplot.js", "icon.svg")
"""What the pages load."""


def console_rows() -> Iterator[HttpRoute]:
    """Yield the rows. Who may look and act is told by the console itself: docs/console.md."""
    for path, view, summary in _VIEWS:
        yield HttpRoute(
            method="GET", path=path, handler=_view(view), work=Work.WATCHES,
            access=Access.OWN, summary=summary,
        )  # fmt: skip
    for path, action, work, summary in _FORMS:
        yield HttpRoute(
            method="POST", path=path, handler=_form(action), work=work,
            access=Access.OWN, summary=summary,
        )  # fmt: skip
    yield HttpRoute(
        method="POST", path="/console/chat", handler=lambda its: its.console.chat, work=Work.ANSWERS,
        summary="Answer a conversation of the console's chat.", example=CHAT,
    )  # fmt: skip
    for name in FILES:
        yield HttpRoute(
            method="GET", path=f"/console/static/{name}", handler=_file(name),
            work=Work.WATCHES, access=Access.OPEN, summary="Give a file that the console's pages load.",
        )  # fmt: skip


def _view(name: str) -> Callable[[Handlers], Handler]:
    return lambda its: its.console.show(name)


def _form(name: str) -> Callable[[Handlers], Handler]:
    return lambda its: its.console.act(name)


def _file(name: str) -> Callable[[Handlers], Handler]:
    return lambda its: its.console.file(name)
