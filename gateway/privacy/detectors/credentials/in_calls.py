"""Passwords as arguments of calls and in rows of statements: connecting, logging in, SQL's INSERT. Pure."""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

from re import Match

from gateway.privacy.detectors.credentials.in_files import typed
from gateway.privacy.detectors.credentials.placeholders import is_placeholder
from gateway.privacy.detectors.detector import Detector, rx
from gateway.privacy.patterns import late

_CONNECTS = (
    r"(?:mysqli|mysqli_connect|mysqli_real_connect|mysql_connect|real_connect|pdo|pg_connect|psycopg2?\.connect|pymysql\.connect|mysqldb\.connect|cx_oracle\.connect|oracledb\.connect|drivermanager\.getconnection|"
    r"getconnection|ftp_login|ssh2_auth_password|ldap_bind|imap_open|ldap3?\.connection|simple_bind(?:_s)?|createconnection|sqlconnect|"
    r"dbconnect|db_connect|odbc_connect|odbcdriverconnect|networkcredential|pscredential|passwordauthentication|usernamepasswordcredentials?|usernamepasswordauthenticationtoken|basicauth|httpbasicauth|basic_auth|"
    r"set_?basic_?auth|basicauthentication|auth_basic|authenticate|sign_?in|log_?in|login_user|logon|logonuser|connect)"
)


def _argument(match: Match[str]) -> bool:
    """Tell whether a text in quotes, behind the first argument, is what somebody typed as a password."""
    return any(typed(text[1] or text[2], 6) for text in _BEHIND_FIRST.finditer(match["value"]))


_BEHIND_FIRST = late(r",\s*(?:\w{1,30}\s?[:=]\s?)?[brufN]{0,2}(?:\"([^\"\n]+)\"|'([^'\n]+)')")
_OTHER = late(
    r"(?i)(?:https?:|[a-z]+://|/|~|\.\.?/).*|[\w.+-]+@[\w.-]+\.[a-z]+|v?[0-9]+(?:[.,:/-][0-9]+)*|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|de|es|fr|local|internal|dev|test)(?::[0-9]+)?|"
    r"utf-?8.*|localhost.*|.*[;={}()<>].*|.*\s.*|[a-z]+(?:[_.-][a-z]+){0,4}|[a-z_]+[0-9]?|(?:data|click|change|message|open|close|error)"
)


def _inserted(match: Match[str]) -> bool:
    """Tell whether the value in a password's column is none that a program hashed, nor a placeholder."""
    value = _in_column(match)
    return value is not None and not is_placeholder(value) and len(set(value)) >= 3 and _HASH.match(value) is None


def _in_column(match: Match[str]) -> str | None:
    columns = [column.strip(' `"[]\n\t') for column in match["columns"].split(",")]
    at = next((n for n, column in enumerate(columns) if _COLUMN.search(column) and not _HASHED.search(column)), None)
    values = [value[0] for value in _VALUE.finditer(match["value"])]
    if at is None or at >= len(values) or len(values) > len(columns):
        return None
    value = values[at]
    return value[1:-1] if value[0] in "'\"" and len(value) >= 6 else None


_COLUMN = late(
    r"(?i)pass(?:word|wd|wort|_|\Z)|pwd|contrase|clave|kennwort|senha|wachtwoord|mot_?de_?passe|\bpin\Z|secret|token|api_?key"
)
_HASHED = late(r"(?i)hash|salt|digest|crypt|_at\Z|date|expires|reset|hint|id\Z")
_HASH = late(
    r"\$(?:2[abxy]?|argon2\w*|[156y]|pbkdf2)[$-]|[0-9a-fA-F]{32,128}\Z|\{[A-Z0-9]+\}|(?:pbkdf2|scrypt|sha\d*|bcrypt)[_:$]"
)
_VALUE = late(r"[NE]?'(?:[^']|'')*'|\"[^\"]*\"|[\w.-]+(?:\([^()]*\))?")


def _two_lines(match: Match[str]) -> bool:
    value = match["value"]
    return _OTHER.fullmatch(value) is None and len(set(value)) >= 4


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="password_of_call",
        category="secret.password",
        pattern=rx(
            rf"(?i)(?<!\w){_CONNECTS}\s?\((?P<value>(?:[^()\"']|\"[^\"\n]{{0,120}}\"|'[^'\n]{{0,120}}'|\([^()]{{0,60}}\)){{3,400}})\)"
        ),
        proposal=rf"(?i){_CONNECTS}\s?\(",
        source="calls that connect or log in: a place or a user, then a text in quotes",
        check=_argument,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="secure_string",
        category="secret.password",
        pattern=rx(r"(?i)\bconvertto-securestring\b(?:\s-string)?\s{1,3}[\"'](?P<value>[^\"'\n$]{4,100})[\"']"),
        proposal=r"(?i)\bconvertto-securestring\b",
        source="PowerShell's ConvertTo-SecureString with a text in quotes",
        check=lambda match: not is_placeholder(match["value"]),
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="password_inserted",
        category="secret.password",
        pattern=rx(
            r"(?i)\binsert\s{1,3}(?:ignore\s)?into\s{1,3}[\w.`\"\[\]]{1,80}\s{0,3}\((?P<columns>[^()]{3,600})\)\s{0,9}values\s{0,9}\((?P<value>(?:[^()'\"]|'[^'\n]{0,200}'|\"[^\"\n]{0,200}\"|\([^()]{0,100}\)){3,1000})\)"
        ),
        proposal=r"(?i)\binsert\s+(?:ignore\s)?into\s",
        source="SQL's INSERT with a password among its columns",
        check=_inserted,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="password_of_two_lines",
        category="secret.password",
        pattern=rx(
            r"(?i)\bauth-user-pass\b[^\n]{0,200}\n(?:[^\n]{0,200}\n){0,12}?(?:[#;][^\n]{0,100}|[\w./ -]{1,60}:|<auth-user-pass>|`{3}\w{0,10})\r?\n[^\s#;<`]{2,60}\r?\n(?P<value>[^\s<`]{5,80})[ \t]{0,3}(?:\r?\n|\Z)"
        ),
        proposal=r"(?i)\bauth-user-pass\b",
        source="OpenVPN's file of a user and a password, a line each",
        check=_two_lines,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="wifi_code",
        category="secret.password",
        pattern=rx(r"(?i)\bWIFI:(?:[A-Z]:(?:[^;\\\n]|\\.){0,80};){0,5}?P:(?P<value>(?:[^;\\\n]|\\.){4,80});"),
        proposal=r"(?i)\bWIFI:",
        source="ZXing's text of a QR code for a Wi-Fi network",
        check=lambda match: not is_placeholder(match["value"]),
        confidence=0.9,
        joins=False,
    ),
)
