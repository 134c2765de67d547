"""Values that are told in two or more pieces, and words for a secret with digits in the place of letters. Pure, bounded.

"The first half is …, the second half is …" and "cl4v3: …" are written for people, and past filters.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from re import Match

from gateway.privacy.decoding.asked import secret_asked
from gateway.privacy.decoding.budget import Decoding
from gateway.privacy.patterns import late, late_re2

_FIRST = r"(?:first|1st|primera?|premi[eè]re?|erste[nr]?|prima|primo|primeira?|eerste)"
_PART = r"(?:half|part|digits|mitad|parte|moiti[eé]|partie|h[aä]lfte|teil|met[aà]|metade|meitat|part|helft|deel|d[ií]gitos|chiffres|ziffern|cifre|cijfers)"
_SECOND = (
    r"(?:second|2nd|other|last|rest|segunda?|otra|resto|[uú]ltim[ao]s?|deuxi[eè]me|seconde?|autre|dernier\w*|zweite[nr]?|andere|letzte\w*|"
    r"second[ao]|altra|outra|segon[a]?|altra|tweede)"
)
_BEGINS = r"(?:(?:starts|begins) with|empieza por|empieza con|comienza (?:por|con)|comen?[cç]a (?:por|com|per|amb)|commence par|beginnt mit|(?:inizia|comincia) con|begint met)"
_ENDS = r"(?:ends (?:in|with)|acaba (?:en|por|con|em|amb)|termina (?:en|por|con|em)|finit par|se termine par|endet (?:mit|auf)|finisce con|eindigt op)"
_PIECE = r"[A-Za-z]{0,4}[0-9][0-9A-Za-z]{1,15}"
HALVES = late_re2(
    rf"(?i)(?:\b{_FIRST} [^\W\d_]{{0,9}} ?{_PART}(?:[^\w]|$)[^\n0-9]{{0,60}}{_PIECE}\b[^\n]{{0,160}}?(?:^|[^\w]){_SECOND} [^\W\d_]{{0,9}} ?(?:{_PART}(?:[^\w]|$))?[^\n0-9]{{0,40}}?"
    rf"|\b{_BEGINS} [^\n0-9]{{0,20}}[^\n]{{2,160}}?\b{_ENDS} [^\n0-9]{{0,20}}?){_PIECE}\b"
)
HALVES_TRIGGER = (
    rf"(?i)\b(?:{_FIRST} (?:[a-z]+ )?{_PART}|{_BEGINS})".replace("[eè]", r"\S\S?")
    .replace("[eé]", r"\S\S?")
    .replace("[aä]", r"\S\S?")
    .replace("[aà]", r"\S\S?")
    .replace("[ií]", r"\S\S?")
    .replace("[cç]", r"\S\S?")
)
_PIECES = late(rf"\b{_PIECE}\b")
_IS_HALF = late_re2(rf"(?i)\b{_FIRST}\b")
_LEAST, _MOST = 8, 34  # characters of the whole

_WORDS = {
    "password": r"p[a4@][s5$]{2}w[o0]r[dt]|p[a4@][s5$]{2}w[o0]rt|p[a4@][s5$]{2}",
    "clave": r"c[l1][a4@]v[e3]",
    "contraseña": r"c[o0]n[t7]r[a4@][s5$][e3](?:ñ|n|nh|ny)[a4@]",
    "senha": r"[s5$][e3]nh[a4@]",
    "passphrase": r"p[a4@][s5$]{2}phr[a4@][s5$][e3]",
    "wachtwoord": r"w[a4@]ch[t7]w[o0]{2}rd",
    "secret": r"[s5$][e3]cr[e3][t7]",
    "login": r"l[o0]g[i1]n",
}
_LEET = "|".join(_WORDS.values())
LEET = late(
    rf"(?i)(?<![\w@$])(?=[a-z@$ñ]{{0,10}}[0-9@$])(?:{_LEET})(?![\w@$])(?P<between>[^:=\n]{{0,40}})[:=]\s?(?P<value>[^\s,;]{{4,60}})"
)
LEET_TRIGGER = (
    r"(?i)(?:p4[s5$]|pa[s5]5|pas5|p@[s5$]|pa\$[s$]|c14|c1a|cl4|cla v3|clav3|c0n[t7]|con7|c[o0]n[t7]r4|5enh|s3nh|senh4|w4ch|wach7|wacht?w0|s3cr|5ecr|secr3|l0g|log1)[a-z0-9@$]"
    r"|passw0|pass?phr4"
)


def join_pieces(match: Match[str], decoding: Decoding) -> str:
    """Return the pieces of one value, told one after the other, as one word behind what is said between them."""
    found = match[0]
    decoding.spend(len(found))
    pieces = _PIECES.findall(found)
    if _IS_HALF.match(found):
        pieces = [pieces[0], pieces[-1]]
    joined = "".join(pieces)
    if not _LEAST <= len(joined) <= _MOST:
        return found
    before = found[: found.index(pieces[0])]
    return before + secret_asked(match.string, match.start() + len(before), match.end(), joined)


def unleet(match: Match[str], decoding: Decoding) -> str:
    """Return a word for a secret, in which digits stood for letters, and once more the plain word before its value."""
    decoding.spend(0)
    return f"{match[0]}\npassword: {match['value']}"
