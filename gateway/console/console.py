"""The console's HTTP side: one way for all views and forms, from the visitor at the door to the finished page."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import tzinfo
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.console import files
from gateway.console.door import Door, Visitor, refuse_foreign
from gateway.console.pages import HEADERS, Frame, render
from gateway.console.sessions import COOKIE
from gateway.console.views.chat import ChatRequests
from gateway.console.views.login import form
from gateway.console.views.view import Action, Ask, Moved, Shown, View
from gateway.console.words import LANGUAGE_COOKIE, Words, language_of
from gateway.core.errors import AduanaError, BadRequest, LedgerUnavailable, Unauthorized
from gateway.server.answers import public_error
from gateway.server.bodies import BodyReader
from gateway.server.endpoint import INLINE_BYTES, REQUEST_ID

_YEAR = 365 * 86_400
_MOST_FIELDS = 1000
LOGIN = "login"
"""Name of the view and of the action that need no key."""
LOGOUT = "logout"
"""Name of the action that ends a session."""


class Console:
    """Handlers of the console's pages. They hold no state but their parts."""

    def __init__(
        self,
        *,
        door: Door,
        bodies: BodyReader,
        entrance: BodyReader,
        views: Mapping[str, View],
        actions: Mapping[str, Action],
        chat: ChatRequests,
        currency: str = "USD",
        rate: float = 1.0,
        zone: tzinfo | None = None,
        footer: Callable[[Words], tuple[str, ...]] = lambda _: (),
    ) -> None:
        """Keep the parts.

        Args:
            door: Says who may look.
            bodies: Reads forms, with limits.
            entrance: Reads the short form of whoever has shown no key yet.
            views: The views by name.
            actions: What forms do, by name.
            chat: Answers what the chat asks.
            currency: The currency that is shown.
            rate: How much one US dollar is in that currency.
            zone: The time zone of what is shown; None: the machine's own.
            footer: Returns further sentences of the last line.
        """
        self._door = door
        self._bodies = bodies
        self._entrance = entrance
        self._views = dict(views)
        self._actions = dict(actions)
        self._chat = chat
        self._currency = currency
        self._rate = rate
        self._zone = zone
        self._footer = footer

    def show(self, name: str) -> Handler:
        """Return the handler of a view."""

        async def shown(http: web.Request) -> web.Response:
            visitor = self._door.visitor(http)
            words = self._words(http)
            if not visitor.may_look and name != LOGIN:
                return await self._answer(http, form(status=401, wrong=False), words, visitor)
            ask = Ask(visitor=visitor, words=words, query=http.query, path=dict(http.match_info))
            try:
                page = await self._views[name].show(ask)
            except AduanaError as error:
                page = _problem(error, http)
            return await self._answer(http, page, words, visitor)

        return shown

    def act(self, name: str) -> Handler:
        """Return the handler of a form."""

        async def acted(http: web.Request) -> web.StreamResponse:
            visitor = self._door.visitor(http)
            refuse_foreign(http.headers)
            words = self._words(http)
            try:
                if not visitor.may_look and name not in (LOGIN, LOGOUT):
                    raise Unauthorized("This needs an API key of this gateway: sign in first.")
                body = await (self._bodies if visitor.may_look else self._entrance).read(http)
                fields = await asyncio.to_thread(_fields, body) if len(body) > INLINE_BYTES else _fields(body)
                ask = Ask(visitor=visitor, words=words, query=http.query, path=dict(http.match_info), form=fields)
                page = await self._actions[name].act(ask)
            except AduanaError as error:
                page = _problem(error, http)
            if name == LOGOUT:
                self._door.leave(http)
            if isinstance(page, Moved):
                return _moved(page, http)
            return await self._answer(http, page, words, visitor)

        return acted

    def file(self, name: str) -> Handler:
        """Return the handler of one of the console's own files."""

        async def sent(http: web.Request) -> web.Response:
            body, kind = await asyncio.to_thread(files.read, name)
            return web.Response(body=body, content_type=kind, charset="utf-8", headers=files.HEADERS)

        return sent

    async def chat(self, http: web.Request) -> web.StreamResponse:
        """Answer POST /console/chat."""
        return await self._chat.chat(http)

    def _words(self, http: web.Request) -> Words:
        language = language_of(
            http.query.get("lang"), http.cookies.get(LANGUAGE_COOKIE), http.headers.get("Accept-Language", "")
        )
        return Words(language, currency=self._currency, rate=self._rate, zone=self._zone)

    async def _answer(self, http: web.Request, page: Shown, words: Words, visitor: Visitor) -> web.Response:
        frame = Frame(address=http.path_qs, here=http.path, footer=self._footer(words) if visitor.may_look else ())
        html = await asyncio.to_thread(render, page, frame, words, visitor)
        response = web.Response(text=html, status=page.status, content_type="text/html", headers=HEADERS)
        response.headers["Content-Language"] = words.language
        if http.query.get("lang") == words.language:
            response.set_cookie(
                LANGUAGE_COOKIE, words.language, max_age=_YEAR, samesite="Strict", secure=http.secure, httponly=True
            )
        return response


def _moved(page: Moved, http: web.Request) -> web.Response:
    response = web.Response(status=303, headers={"Location": page.to, "Cache-Control": "no-store"})
    if page.session:
        # No Max-Age: it ends with the browser, and in any case when the session does.
        response.set_cookie(COOKIE, page.session, httponly=True, samesite="Strict", secure=http.secure)
    elif page.session is not None:
        response.del_cookie(COOKIE, httponly=True, samesite="Strict", secure=http.secure)
    return response


def _problem(error: AduanaError, http: web.Request) -> Shown:
    # Whoever sees the console may know what is wrong with the ledger; an app may not.
    told = error if isinstance(error, LedgerUnavailable) else public_error(error, http[REQUEST_ID])
    return Shown(
        template="problem.html", title="That did not work", values={"problem": told.message}, status=told.status
    )


def _fields(body: bytes) -> Mapping[str, str]:
    """Return the fields of a form.

    Raises:
        BadRequest: It is no form.
    """
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequest("This is no form.", code="bad_form") from error
