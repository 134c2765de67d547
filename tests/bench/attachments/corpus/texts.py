"""Mail, pages of the web, drawings, tables and other texts, with a value in each of the places that they have."""

# ruff: noqa: E501 - tables are read by their rows

import base64
import json
import quopri
import random
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html import escape

from tests.bench.attachments.corpus.archives import zipped
from tests.bench.attachments.corpus.facts import HARMLESS, fact
from tests.bench.attachments.corpus.layouts import Content, clean
from tests.bench.attachments.corpus.pdfs import flowing
from tests.bench.attachments.corpus.sample import Sample

Place = Callable[[Content, str], bytes]


def _body(content: Content) -> str:
    return "\n".join((content.title, *content.paragraphs))


def _mail(content: Content, *, subject: str = "News") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["Date"] = "Fri, 03 May 2024 10:00:00 +0000"
    message.set_content(_body(content))
    return message


def _sent(message: EmailMessage) -> bytes:
    if message.is_multipart():
        message.set_boundary("=====bench")
    return message.as_bytes()


def _plain_mail(content: Content, told: str) -> bytes:
    message = _mail(content)
    message.set_content(f"{_body(content)}\n{told}\n", cte="quoted-printable")
    return _sent(message)


def _base64_mail(content: Content, told: str) -> bytes:
    message = _mail(content)
    message.set_content(
        f"{_body(content)}\n{told}\n", charset="iso-8859-15" if "€" in told else "iso-8859-1", cte="base64"
    )
    return _sent(message)


def _html_mail(content: Content, told: str) -> bytes:
    message = _mail(content)
    message.add_alternative(
        f"<p>{escape(content.title)}</p><div style='display:none'>{escape(told)}</div>", subtype="html"
    )
    return _sent(message)


def _attached(kind: str, make: Callable[[str], bytes]) -> Place:
    def place(content: Content, told: str) -> bytes:
        message = _mail(content)
        message.add_attachment(make(told), maintype="application", subtype="octet-stream", filename=f"annex.{kind}")
        return _sent(message)

    return place


def _mail_in_mail(content: Content, told: str) -> bytes:
    message = _mail(content)
    message.add_attachment(_mail(Content(title="Re", paragraphs=(told,))))
    return _sent(message)


def _calendar(content: Content, told: str) -> bytes:
    message = _mail(content)
    event = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Visit\r\nDESCRIPTION:{told[:30]}\r\n {told[30:]}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    message.add_attachment(event.encode(), maintype="text", subtype="calendar", filename="invite.ics")
    return _sent(message)


def _page(inside: str, head: str = "") -> Place:
    """Return a page; `{}` is the value."""

    def place(content: Content, told: str) -> bytes:
        seen = "".join(f"<p>{escape(text)}</p>" for text in content.paragraphs)
        shown = (
            (head + "\n" + inside)
            .replace("{}", escape(told))
            .replace("{base64}", base64.b64encode(told.encode()).decode())
        )
        first, last = shown.split("\n", 1)
        return f"<!doctype html><html><head><title>{escape(content.title)}</title>{first}</head><body>{seen}{last}</body></html>".encode()

    return place


def _drawing(inside: str) -> Place:
    def place(content: Content, told: str) -> bytes:
        halves = told[: len(told) - 4], told[len(told) - 4 :]
        shown = inside.replace("{}", escape(told)).replace("{1}", escape(halves[0])).replace("{2}", escape(halves[1]))
        shown = shown.replace("{base64}", base64.b64encode(told.encode()).decode())
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="200"><text x="9" y="20">{escape(content.title)}</text>{shown}</svg>'.encode()

    return place


def _table(coding: str, separator: str) -> Place:
    def place(content: Content, told: str) -> bytes:
        label, _, value = told.partition(": ")
        rows = [
            ("id", "item", label),
            *((str(number), text, "-") for number, text in enumerate(content.paragraphs)),
            ("9", "x", value),
        ]
        return "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows).encode(coding, "replace")

    return place


def _rich(inside: str) -> Place:
    def place(content: Content, told: str) -> bytes:
        def safe(text: str) -> str:
            return "".join(letter if ord(letter) < 128 else f"\\u{ord(letter)}?" for letter in text)

        body = "\\par ".join(safe(text) for text in content.paragraphs)
        return f"{{\\rtf1\\ansi {body} {inside.replace('{}', safe(told))}}}".encode()

    return place


MAIL: dict[str, Place] = {
    "body, quoted printable": _plain_mail,
    "body, base64": _base64_mail,
    "hidden in HTML": _html_mail,
    "subject": lambda content, told: _sent(_mail(content, subject=told)),
    "own header": lambda content, told: b"X-Case: " + told.encode("ascii", "replace") + b"\n" + _sent(_mail(content)),
    "attached PDF": _attached("pdf", lambda told: flowing(Content(title="Annex", paragraphs=(told,)))),
    "attached zip": _attached("zip", lambda told: zipped({"a.txt": b"ok", "b.txt": told.encode()})),
    "mail in mail": _mail_in_mail,
    "invitation": _calendar,
    "behind the last part": lambda content, told: _html_mail(content, "ok") + b"\n" + told.encode() + b"\n",
}  # fmt: skip
WEB: dict[str, Place] = {
    "visible": _page("<p>{}</p>"), "hidden element": _page('<div hidden style="display:none">{}</div>'), "comment": _page("<!-- {} -->"),
    "attribute": _page('<span data-case="{}">x</span>'), "alt text": _page('<img src="x.png" alt="{}">'), "meta": _page("", '<meta name="description" content="{}">'),
    "script": _page('<script>const holder = "{}";</script>'), "style": _page("<style>.a::after{content:'{}'}</style>"), "template": _page("<template><p>{}</p></template>"),
    "input": _page('<form><input type="hidden" value="{}"></form>'), "data address": _page('<iframe src="data:text/plain;base64,{base64}"></iframe>'),
    "letters as entities": lambda content, told: _page("<p>{}</p>")(content, "@@").replace(b"@@", "".join(f"&#{ord(letter)};" for letter in told).encode()),
}  # fmt: skip
DRAWINGS: dict[str, Place] = {
    "text": _drawing('<text x="9" y="60">{}</text>'), "split text": _drawing('<text x="9" y="60"><tspan>{1}</tspan><tspan>{2}</tspan></text>'), "title": _drawing("<title>{}</title>"), "description": _drawing("<desc>{}</desc>"),
    "metadata": _drawing("<metadata><holder>{}</holder></metadata>"), "comment": _drawing("<!-- {} -->"), "invisible": _drawing('<g display="none"><text>{}</text></g>'), "foreign": _drawing('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">{}</p></foreignObject>'),
    "data address": _drawing('<image href="data:text/plain;base64,{base64}"/>'),
}  # fmt: skip
OTHERS: dict[str, tuple[str, Place]] = {
    "CSV, Latin 1": ("csv", _table("iso-8859-15", ";")), "CSV, UTF-16": ("csv", _table("utf-16", "\t")), "CSV, UTF-8": ("csv", _table("utf-8-sig", ",")),
    "text, Windows": ("txt", lambda content, told: f"{_body(content)}\r\n{told}".encode("cp1252", "replace")), "text, UTF-16": ("txt", lambda content, told: f"{_body(content)}\n{told}".encode("utf-16")),
    "Markdown": ("md", lambda content, told: f"# {content.title}\n\n{_body(content)}\n\n[//]: # ({told})\n".encode()), "JSON": ("json", lambda content, told: json.dumps({"title": "x", "deep": [{"holder": told}]}).encode()),
    "XML attribute": ("xml", lambda content, told: f'<?xml version="1.0"?><list><item note="{escape(told)}">{escape(content.title)}</item></list>'.encode()),
    "RTF": ("rtf", _rich("\\par {}")), "RTF, hidden": ("rtf", _rich("{\\v {}}")), "RTF, information": ("rtf", _rich("{\\info{\\subject {}}}")),
    "contact": ("vcf", lambda content, told: b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Quality\r\nNOTE;ENCODING=QUOTED-PRINTABLE:" + quopri.encodestring(told.encode()).replace(b"=\n", b"") + b"\r\nEND:VCARD\r\n"),
}  # fmt: skip


def samples(rng: random.Random) -> Iterator[Sample]:
    """Yield every place with a value, and every fourth without one."""
    rows = [("mail", "eml", place, make) for place, make in MAIL.items()]
    rows += [("web page", "html", place, make) for place, make in WEB.items()]
    rows += [("drawing", "svg", place, make) for place, make in DRAWINGS.items()]
    rows += [("text", ending, place, make) for place, (ending, make) in OTHERS.items()]
    for number, (kind, ending, place, make) in enumerate(rows):
        language = rng.choice(("es", "en"))
        one = fact(rng, language, short=place in {"attribute", "subject", "own header"} or kind == "text")
        content = clean(rng, language)
        yield Sample(
            name=f"text-{number}.{ending}", data=make(content, one.told), kind=kind, case=place,
            values=(one.value,), told=content.beside(one),
        )  # fmt: skip
        if number % 4 == 0:
            data = make(clean(rng, language), HARMLESS[language])
            yield Sample(name=f"text-{number}-clean.{ending}", data=data, kind=kind, case=place)
