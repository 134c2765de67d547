"""What is written where a secret will stand: a word for it, a variable, a place from which it is read. Pure.

INVARIANT: the whole value has to be one. A real password may begin with any word (`Enterprise2024!`, `Hidden7Dragon`),
so no beginning is enough by itself.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from gateway.privacy.patterns import late

_COUNT = r"(?:0{1,8}|1{1,8}|1?(?:2(?:3(?:4(?:5(?:6(?:7(?:8(?:9(?:0)?)?)?)?)?)?)?)?)?)"
_MARKERS = (
    "your my mine here example examples sample samples change changeme changeit insert replace replaced dummy fake mock placeholder none null nil undefined unset "
    "redacted removed masked omitted hidden todo tbd fixme wrong invalid enter paste put add fill set not test testing tests foo bar baz default string str bytes required optional "
    "aqui aquí tu su mi votre dein ejemplo exemple beispiel esempio cambiar cambia cambiame reemplazar sustituir sustituye true false"
)
_THINGS = (
    "password passwords passwd passphrase passcode pass pwd pw secret secrets token tokens key keys apikey value values credential credentials cred creds "
    "sk pk ghp hf xoxb proj ant api access auth authentication authorization bearer client server service account user username admin root login db database sql mysql postgres postgresql redis mongo "
    "aws azure gcp google openai anthropic github gitlab slack stripe twilio sendgrid cloud local dev prod production staging live env environment "
    "id url uri host name session signing encryption private public webhook jwt hmac sso smtp mail email app application super strong random long very really "
    "with from for of in on as to and or me before use using only real actual new old current own it is at least you the some any this that these goes there changed "
    "yes no unknown empty bad good type int bool text object secretstr plain plaintext valor valeur wert valore la el tuo before secure secured"
)
_WORD = "|".join(sorted({*_MARKERS.split(), *_THINGS.split()}, key=len, reverse=True))
_ALL_WORDS = late(rf"(?i)(?=.*[a-z])(?:(?:{_WORD})|x{{3,}}|[-_. :*/!?'])++{_COUNT}[-_. !?*'\")\]]*\Z")
_HAS_MARKER = late(rf"(?i)(?:{'|'.join(sorted(_MARKERS.split(), key=len, reverse=True))}|x{{3,}})")
_OPENED = late(
    rf"(?i)(?:your|example|sample|change(?:me|it)?|insert|replace|dummy|fake|placeholder|redacted|todo|tbd|fixme|x{{3,}}|tu|su|ejemplo|not)(?:[-_. ]+[a-z]+)+(?:[-_. ]*{_COUNT})?[-_. !?'\")\]]*\Z"
)  # your_github_pat, replace-with-what-you-got: any words behind the first, but nothing that was typed
_WHOLE = late(
    r"(?i)(?:x+|\*+|\.+|-+|_+|•+|#+|\?+)\Z|.*(?:\.\.\.|…)[\"'),;]*\Z"
    rf"|(?:valor|valeur|wert|valore)[0-9]?\Z|(?:password|passwd|secret|token|key|value|test|foo|bar|user|admin|root|default)[-_]?{_COUNT}[\W_]{{0,2}}[\"'),;]*\Z"
    r"|(?:sk|pk|gh[a-z]|xox[a-z]|glpat|hf|api|key|token)(?:[-_][a-z]{2,6})?[-_](?:(.)\1{3,}|1234\d{0,6})[\"'),;]*\Z"
)
_READ_FROM = late(
    r"<[^<>]*>?[\"'),;]*\Z"
    r"|\$(?:\{|\(|env:|_(?:ENV|SERVER|POST|GET|REQUEST|SESSION)\b|[0-9*@#?]\Z)"
    r"|\$+[A-Za-z_](?:[A-Z_]+|[a-z_]+|[a-z]*(?:[A-Z][a-z]+)+)[0-9]?(?:\Z|(?:->|::|\.|\[|\()[A-Za-z_\[\]'\"(>-].*|[\"'),;}]+\Z)"
    r"|\$(?:2[abxy]?|argon2\w*|[156y]|pbkdf2)\$|\$\$"
    r"|\{[{%#\"']|\{[\w.:\[\]\"' -]*(?:![rsa])?\}|\{\Z|%(?:[sdrvq@](?!\w)|\w+%\Z|\([\w.]+\)|\{|[A-Za-z_]\w*%|<)"
    r"|(?i:(?:os|env|self|this|process|config|cfg|settings|secrets|vars?|module|app|props|request|req|options|args|params)(?:\.|\[|::|->)[A-Za-z_\"'][\w.\[\]\"':>-]*(?:\(.*)?\Z"
    r"|get_?\w*\(.*|secretstr\(?.*|env(?:iron(?:ment)?)?[:(]\s?[A-Za-z_\"'][\w.\"')]*\Z)"
    r"|(?i:vault:[\w.-]*/[\w./#:-]*|op://.*|arn:[a-z-]{3,12}:[a-z0-9-]+:.*|ssm:/.*|ref\+[a-z0-9]+://.*|file:\.{0,2}/.*|keyring:[a-z_./-]+|!secret\b.*)\Z"
)


def is_placeholder(value: str) -> bool:
    """Tell whether a value as a whole stands for a secret and is none: a word, a variable, a place to read it from."""
    if _WHOLE.match(value) or _READ_FROM.match(value) or _OPENED.match(value):
        return True
    return _ALL_WORDS.match(value) is not None and _HAS_MARKER.search(value) is not None
