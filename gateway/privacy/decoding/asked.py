"""Words that ask for a value, and how a value that was hidden beside one is shown to detectors. Pure and bounded.

Nobody spells, cuts or encodes a number beside "call me" for another reason than to give it: what was read there is put
behind the plain word that a detector looks for.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from gateway.privacy.patterns import late, late_re2

_PHONE = late_re2(
    r"(?i)\b(?:tel|t[eé]l|tlf|tele?f\w*|tel[eé]f\w*|t[eé]l[eé]phone|phone|m[oóò]vil|m[oò]bil|mobiel|mobile?|mobilnummer|handy\w*|cell?|celular|cellulare|"
    r"telem[oó]vel|rufnummer|whats\w*|wh?atsapp|zap|wasap|guasap|sms|call|ring|text me|reach|contacto?|contato|kontakt|ll[aá]m[ae]\w*|mensaje al|"
    r"escr[ií]b\w*|ruf\w*|anruf\w*|erreich\w*|bel|bellen|appelle\w*|rappelle\w*|joindre|joignable|chiam\w*|lig(?:a|ue|ar)|truc\w*|telefonu?|kom[oó]rk\w*|zadzwo\w*)(?:[^\w]|$)"
)
_SOCIAL = late_re2(r"(?i)\b(?:social|ssn)\b")
_PIN = late_re2(
    r"(?i)\b(?:pin|passcode|clave|contrase\S*|senha|geheimzahl|(?:code|c[oó]digo|codi|codice)\b.{0,30}\b(?:alarm\w*|gate|door|lock|safe|portal|puerta|caja|bancomat|tarjeta|card|porta|carte)|"
    r"(?:alarm\w*|gate|door|lock|safe|portal|t[uü]r\w*|toegangs)\s?-?code)\b"
)
_PASSWORD = late_re2(
    r"(?i)(?:\b|_)(?:pass|passw\w*|passphrase|pwd?|pw|clave|contrase\S*|senha|mot de passe|mdp|kennwort|wachtwoord|parola|sudo|basic header|wifi|wi-fi)(?:[^\w]|$)"
)
_ACCESS = late_re2(r"(?i)(?:\b|_)(?:login|log in|credentials?|secret|token|key|admin|usuario|ldap\w*|bind)(?:[^\w]|$)")
_DECODES = late_re2(
    r"(?i)base-?64 (?:-d|-D|--decode)|b64decode|atob\(|fromhex|from_hex|unhexlify|decode before|xxd -r|escond|fromCharCode"
)
_OTHER_CODE = late_re2(
    r"(?i)postal|\bzip\b|\berror|status|country|\barea\b|http|source code|promo|discount|descuento|cup[oó]n|coupon|\bcp\b|postleit|\bcap\b"
)
_NEAR = 70  # characters between a word and what it asks for
_WORD = r"[^\s\"'`:=/()\[\]{}<>,;|\\]{6,40}"
_LOOSE = late(rf"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z]){_WORD}")
_TYPED = late(
    rf"(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])(?=[^\s]*(?:[A-Z][^\s]*[a-z]|[a-z][^\s]*[A-Z]|[!#$%&*+?^_@.-])){_WORD}"
)
_STRONG = late(rf"(?=[^\s]*[0-9])(?=[^\s]*[A-Z])(?=[^\s]*[a-z])(?=[^\s]*[!#$%&*+?^_@.-]){_WORD}")
_NOTHING_TYPED = late(
    r"(?i).*\.(?:[a-z]{2,4}|mp[34]|7z|h5)|v?[0-9]+(?:\.[0-9]+)+\S*|[0-9]{4}-[0-9]{2}-[0-9]{2}\S*|[0-9a-f-]+|\w+[@].*|.*example.*|.*test.*"
    r"|(?:ssh|ecdsa|sk|rsa)-.*|(?:utf|iso|sha|md|rot|base|hello|foo|bar|image|file|page|item|user|key|value)[\W_]?[0-9]+\S*"
)
_NUMBER = late(r"\+?[0-9]+")
_LEAST_PHONE, _MOST_PHONE = 9, 15
_DIGITS_OF_PIN = range(4, 9)
_SOCIAL_DIGITS = 9
_LONGEST = 200  # characters of a reading: a longer one is a document, which has words of its own


def around(text: str, start: int, end: int) -> tuple[str, str]:
    """Return what stands right before and right behind a place."""
    return text[max(0, start - _NEAR) : start], text[end : end + _NEAR]


def number_asked(text: str, start: int, value: str) -> str:
    """Return a number that was read, and once more behind the plain word for what is asked for before it."""
    before = text[max(0, start - _NEAR) : start]
    if _NUMBER.fullmatch(value) is None or not before:
        return value
    digits = len(value.lstrip("+"))
    if digits == _SOCIAL_DIGITS and _SOCIAL.search(before):
        return f"{value}\nSSN: {value}"
    if _LEAST_PHONE <= digits <= _MOST_PHONE and _PHONE.search(before):
        return f"{value}\nphone: {value}"
    if digits in _DIGITS_OF_PIN and _PIN.search(before) and not _OTHER_CODE.search(before):
        return f"{value}\nPIN: {value}"
    return value


def secret_asked(text: str, start: int, end: int, value: str, *, apart: bool = False) -> str:
    """Return what was read, and a typed word in it once more behind "password:", where a word near asks for a secret.

    Args:
        text: The text that it was read in.
        start: Where the piece begins that says it.
        end: Where that piece ends.
        value: What it says.
        apart: Its characters stood apart: nobody does so for another reason, and letters and digits are enough.
    """
    if len(value) > _LONGEST:
        return value
    if _NUMBER.fullmatch(value) is not None:
        return number_asked(text, start, value)
    pin = _PIN_SAID.search(value)
    if pin is not None:
        return f"{value}\nPIN: {pin[1]}"
    before, behind = around(text, start, end)
    near = f"{before} {value} {behind}"
    asked = _PASSWORD.search(near) is not None
    if not (asked or _ACCESS.search(near) or _DECODES.search(near)):
        return value
    shape = _LOOSE if apart and asked else _TYPED if asked else _STRONG
    for word in shape.finditer(value):
        if _NOTHING_TYPED.fullmatch(word[0]) is None:
            return f"{value}\npassword: {value[word.start() :]}"
    return value


_PIN_SAID = late(r"(?i)\bpin\W{1,3}([0-9]{4,8})\b")
