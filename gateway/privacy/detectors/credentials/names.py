"""What stands behind a word for a secret and is a name: of a variable, a file, a header, a type, a path. Pure.

A name before the value says so (`api_key_env`, `passwordFile`), or the value is itself a name (`DB_PASSWORD_V2`).
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from gateway.privacy.patterns import late, late_re2

_OTHER_THING = late(
    r"(?:[_-]|(?<=[a-z])(?=[A-Z]))(?i:env(?:_?var)?|file(?:name)?|path|ref|name|header|field|column|type|var|location|arn|ur[il]|"
    r"source|provider|policy|prefix|length|hint|label|placeholder|selector|lifetime|rotation)\Z"
)
_NO_SECRET = late(
    r"(?i)(?:palabras? |key)clave\Z|palabras? clave|publickey|public[_-]?key|keyword|"
    r"\A(?:com|by|tres|sur|encom|over|under)pass|(?:primary|foreign|sort|partition|cache|route|row|group|object|idempotency|index|composite|"
    r"translation|locale|order|unique|shift|arrow|hot|mon|tur|don|jo|hash|range|context|query|lookup|dict|map|json|i18n|registry)[_-]?key"
)
_IDENTIFYING = late(
    r"(?i)(?:public|primary|foreign|sort|partition|cache|route|row|group|object|idempotency|index|unique|order|composite|hash|range)[_-]?key"
)  # keys whose values are hashes and identifiers
_HASH = late(r"[0-9a-f-]+|[0-9A-F-]+")
_GLUED = late(r"(?i:pass)(?!(?i:word|wd|phrase|code|wort|key|wrd|ord|w?0rd|w\b|e?\b))(?:[a-z]|(?<=PASS)[A-Z])")
_NAME = late(r"[\w.-]*\Z")
_STEM = r"(?:[A-Z]+[0-9]?_)*"
# INVARIANT: what people choose is matched in linear time. RE2 for parts that repeat and can be read in two ways.
_NAME_ITSELF = late_re2(
    rf"{_STEM}[A-Z]+[0-9]?_(?:KEY|TOKEN|PASSWORD|PASSWD|PASS|SECRET|PAT|CREDENTIALS|PWD|ENV)(?:_(?:[A-Z]+|V?[0-9]{{1,3}}))*"
    r"|X-[A-Z][a-z]+[0-9]?(?:-[A-Z]?[a-z]+[0-9]?|-[A-Z]{2,5})+"
    r"|/?(?:(?:[a-z]+[0-9]?|k8s|i18n|[a-z][0-9][a-z]?)[-_./])*(?:password|secrets?|token|key|credentials?)(?:[-_./](?:[a-z]{1,12}[0-9]?|v?[0-9]{1,4}))*"
    r"|(?:/[a-z_.-]+[0-9]{0,2}(?:[.-][a-z0-9]{1,6})?){2,}/?"
)
_SETS = late(r"(?P<name>[A-Za-z][\w.-]{0,60})[ \t]{0,3}(?:=(?!=|[ \t]*(?:\n|\Z))|:(?=[ \t]))")
_NEXT_NAME = late(r"(?P<name>[A-Z][A-Z0-9]*_[A-Z0-9_]*)=")  # the value is empty, and two lines were put together
_LOOK = 60
_NUMBERED = r"(?:Sha|SHA|Aes|AES|Md|MD|Rsa|RSA|X|S|P|Base|Utf|UTF|Http|HTTP|Int|UInt|Ed|OAuth|Oauth|Http|K|Py|H|V|Ipv|IPv|Argon|Web)[0-9]{1,5}"
_TYPE = late_re2(
    rf"(?:(?:{_NUMBERED}|[A-Z])(?:{_NUMBERED}|[A-Za-z])*)?(?:Types?|Keys?|Error|Class|Model|Enum|Field|Input|Params?|Args|Proto|Union|Value|Dict|Info|Config|Schema|"
    r"Object|Options?|Handle|Struct|Secret|Bytes|String|Provider|Password|Token|Credentials?|Settings|Context|Factory|Manager|"
    r"Request|Response|Interface)"
)  # a name with an ending that types have: what stands behind a name in an annotation
_REFERENCE = late(
    r"[A-Za-z_]+[0-9]?(?:\.[A-Za-z_]+[0-9]?)*\[(?:[0-9]{0,3}|[a-z_]{1,20}|:|\"[\w.:-]*\"|'[\w.:-]*')\]?"  # args[2]
    r"|[0-9]?\*(?:\(.*|[0-9]?[A-Za-z-]*(?i:char|digit|alpha|octet|text|sp|ctl|hex|word)[A-Za-z]*)"  # 1*tchar, RFC 5234
)
PRODUCT = (
    r"(?:windows|office|python|iphone|android|ubuntu|sha|aes|rsa|base|utf|iso|rfc|http|oauth|ipv|x|md|win|covid|catch|web|bcrypt|argon|pbkdf|h|s|ec|p|mp|log)"
    r"[-_ ]?[0-9]{1,8}[a-z]{0,4}(?:[-_.:/+#=@ ][a-z0-9]{1,64}){0,6}"
)  # products and algorithms with their numbers: python3.12, sha256:…, covid-19-related
MEASURE = r"[0-9]+(?:st|nd|rd|th|px|mb|gb|kb|ms|am|pm|h|s|d|-?bits?|-?(?:char|digit)[a-z]*(?:[-_/][a-z]+)*|-?d[ií]as?|-?days?)"
_SEPARATORS = late(r"[^A-Za-z0-9!@#$%^&*+]+")
_RUNS = late(r"[0-9]+|[A-Za-z]+")
_KNOWN_MIX = late(r"(?i)v[0-9]+(?:alpha|beta|rc)[0-9]+|utf8mb[0-9]|x86[a-z0-9]*|argon2id[0-9]*|aes[0-9]+[a-z]{3}[0-9]*")
_ENOUGH_RUNS = 4


def is_generated(value: str) -> bool:
    """Tell whether letters and digits change in a part of it as in nothing that people or programs name things.

    No name before a value, and no form of names, exempts such a value.
    """
    return any(
        len(part) >= 6 and len(_RUNS.findall(part)) >= _ENOUGH_RUNS and not _KNOWN_MIX.fullmatch(part)
        for part in _SEPARATORS.split(value)
    )


def is_named_otherwise(text: str, start: int, end: int, value_start: int, value: str) -> bool:
    """Tell whether what stands between a name and a value, or the value itself, is a name and no secret.

    Args:
        text: The whole text.
        start: Where the name's word for a secret begins.
        end: Where the sign of assignment begins or, for want of one, the value.
        value_start: Where the value begins.
        value: The value without quotes.
    """
    before = _NAME.search(text, max(0, start - _LOOK), start)
    name = (before[0] if before is not None else "") + text[start:end].rstrip(" \t\r\n\"'`]:=>")
    if text[value_start - 1] not in "\"'`" and is_expression(value):
        return True
    following = _NEXT_NAME.match(value) or ("\n" in text[end:value_start] and _SETS.match(text, value_start))
    if following:
        return not is_generated(following["name"])  # the value is empty: this is the next line's name
    if is_generated(value) and not (_IDENTIFYING.search(name) and _HASH.fullmatch(value)):
        return False
    if _OTHER_THING.search(name) or _GLUED.match(text, start) or _NO_SECRET.search(name) or _says_other(text, start):
        return True
    return _NAME_ITSELF.fullmatch(value.rstrip(".,;:)\"'")) is not None


def _says_other(text: str, start: int) -> bool:
    """Tell whether the word for a secret is a part of a word for something else, such as `bypass` or `palabra clave`."""
    found = _NO_SECRET.search(text, max(0, start - 10), start + 6)
    return found is not None and found.end() > start


def is_expression(value: str) -> bool:
    """Tell whether a value without quotes is a type, a part of a variable or a rule of a grammar, and nothing typed."""
    return any(pattern.fullmatch(value.rstrip(".,;:)")) is not None for pattern in (_TYPE, _REFERENCE))
