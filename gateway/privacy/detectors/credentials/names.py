"""What stands in the place of a secret without being one: the name of a variable, a file, a header, a path. Pure.

A name before the value says so (`api_key_env`, `passwordFile`), or the value is itself a name (`DB_PASSWORD_V2`).
"""

import re

PLACEHOLDER = re.compile(
    r"(?i)(?:x+|\*+|\.+|<.*|\$.*|\{.*|%.*|.*\.\.\.|(?:xxx|your|my_|the_|example|sample|change|insert|replace|dummy|fake|placeholder|none|null|"
    r"true|false|undefined|required|optional|string|secretstr|os\.|env|self\.|process\.|config\.|settings\.|get_|"
    r"vault:|op://|arn:|ssm:|ref\+|file:|keyring:|!secret|not-?set|redacted|hidden|todo|tbd|fixme|wrong|invalid|bad[-_]|enter|paste)"
    r".*|(?:sk|pk|gh[a-z]|xox[a-z]|glpat|hf|api|key|token)(?:[-_][a-z]{2,6})?[-_](?:(.)\1{3,}|1234\d{0,6})[\"'),;]*|"
    r"(?:password|passwd|secret|token|key|value|valor|valeur|wert|valore|test|foo|bar|user|admin|root|default)[\W_0-9]{0,4}[\"'),;]*)\Z"
)
_OTHER_THING = re.compile(
    r"(?:[_-]|(?<=[a-z])(?=[A-Z]))(?i:env(?:_?var)?|file(?:name)?|path|ref|name|header|field|column|type|var|location|arn|ur[il]|"
    r"source|provider|policy|prefix|length|hint|label|placeholder|selector|lifetime|rotation)\Z"
)
_NO_SECRET = re.compile(
    r"(?i)(?:palabras? |key)clave\Z|palabras? clave|publickey|public[_-]?key|keyword|"
    r"\A(?:com|by|tres|sur|encom|over|under)pass|(?:primary|foreign|sort|partition|cache|route|row|group|object|idempotency|index|composite|"
    r"translation|locale|order|unique|shift|arrow|hot|mon|tur|don|jo|hash|range|context|query|lookup|dict|map|json|i18n|registry)[_-]?key"
)
_GLUED = re.compile(r"pass(?!word|wd|phrase|code|wort|e?\b)[a-z]|PASS(?!WORD|WD|PHRASE|CODE|WORT)[A-Z]")
_NAME = re.compile(r"[\w.-]*\Z")
_NAME_ITSELF = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|PASSWORD|PASSWD|PASS|SECRET|PAT|CREDENTIALS|PWD|ENV)(?:_[A-Z0-9]+)*"
    r"|X-[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+"
    r"|/?(?:[a-z][a-z0-9]*[-_./])*(?:password|secrets?|token|key|credentials?)(?:[-_./][a-z0-9]{1,12})*"
    r"|(?:/[a-z0-9_.-]+){2,}/?"
)
_SETS = re.compile(r"[A-Za-z][\w.-]{0,60}[ \t]{0,3}(?:=|:(?=[ \t]))")
_NEXT_NAME = re.compile(r"[A-Z][A-Z0-9]*_[A-Z0-9_]*=")  # the value is empty, and two lines were put together
_LOOK = 60
_TYPE = re.compile(
    r"[A-Z][A-Za-z0-9]+(?:Types?|Keys?|Error|Class|Model|Enum|Field|Input|Params?|Args|Proto|Union|Value|Dict|Info|Config|Schema|"
    r"Object|Options?|Handle|Struct|Secret|Bytes|String|Provider|Password|Token|Credentials?|Settings|Context|Factory|Manager|"
    r"Request|Response|Interface)"
)  # a name with an ending that types have: what stands behind a name in an annotation
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*\[[\w.\"':-]*\]?|[0-9]*\*[a-zA-Z(]+")  # args[2]; 1*tchar as in RFC 5234


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
    if _OTHER_THING.search(name) or _GLUED.match(text, start) or _NO_SECRET.search(name):
        return True
    if _NO_SECRET.search(text, max(0, start - 10), start + 6):
        return True
    if _NEXT_NAME.match(value) or (text[value_start - 1] not in "\"'`" and is_expression(value)):
        return True
    between = text[end:value_start]
    if "\n" in between and _SETS.match(text, value_start):
        return True  # the value is empty: this is the next line's name
    return _NAME_ITSELF.fullmatch(value.rstrip(".,;:)\"'")) is not None


def is_expression(value: str) -> bool:
    """Tell whether a value without quotes is a type, a part of a variable or a rule of a grammar, and nothing typed."""
    return any(pattern.fullmatch(value.rstrip(".,;:)")) is not None for pattern in (_TYPE, _REFERENCE))
