"""What a network of one's own looks like from inside: private addresses, host names that no public DNS knows, MACs.

Pure. What every network has, and every manual shows, is nobody's: loopback, masks, whole private ranges, the routers'
factory addresses, and what RFC 5737, 3849 and 9542 set aside for documents.
"""

# ruff: noqa: E501 - a pattern in one piece can be read and searched for

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from re import Match

from gateway.privacy.detectors.detector import Detector, near, rx, words
from gateway.privacy.patterns import late

_MANUALS = frozenset(
    [
        "10.0.0.0",
        "10.0.0.1",
        "10.0.2.2",
        "10.0.2.15",
        "10.96.0.1",
        "10.96.0.10",
        "10.255.255.255",
        "172.16.0.0",
        "172.16.0.1",
        "172.17.0.1",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.0.1",
        "192.168.1.0",
        "192.168.1.1",
        "192.168.1.254",
        "192.168.100.1",
        "192.168.122.1",
        "192.168.255.255",
        "fd00::1",
        "fe80::1",
    ]
)
_HOST_WORDS = words(
    r"\bhost|server|servidor|\bssh\b|\bscp\b|\bping\b|\bnas\b|router|\bdns\b|\bdomain|dominio|m[aá]quina|machine|equipo|intranet|printer|"
    r"impresora|\burl\b|\bvpn\b|cluster|proxy|gateway"
)
_EVERYBODYS = late(
    r"(?i)(?:host\.docker|gateway\.docker|metadata\.google)\.internal\Z|(?:.*\.)?(?:example|foo|bar|myhost|mydomain|your\w*)\.\w+\Z|kubernetes\.default"
)
_NO_MAC = late(
    r"(?i)(?:00){3}|(?:ff){6}|01005e|00005e0053|001122334455|112233445566|0123456789ab|aabbccddeeff|deadbeef|(?:(..)\1{5})"
)


def _address(match: Match[str]) -> bool:
    value = match["value"]
    if value.lower() in _MANUALS:
        return False
    try:
        address = ip_address(value)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _private_4(address, match)
    return _private_6(address)


def _private_4(address: IPv4Address, match: Match[str]) -> bool:
    """Tell whether it is one machine's by RFC 1918 or RFC 6598; ranges that end in .0/8, /12 and /16 are anybody's."""
    first, second, *_ = address.packed
    private = first == 10 or (first == 172 and 16 <= second <= 31) or (first, second) == (192, 168)
    shared = first == 100 and 64 <= second <= 127
    wide = re.match(r"/(?:8|10|12|16)(?![0-9])", match.string[match.end("value") : match.end("value") + 4])
    return (private or shared) and wide is None and not (first == 10 and _VERSION.search(_before(match)))


_VERSION = late(r"(?i)(?:version|versi.n|release|grade\w{0,2} (?:from|to)|\bv|[=~^<>])\s?\Z")


def _before(match: Match[str]) -> str:
    return match.string[max(0, match.start("value") - 24) : match.start("value")]


_RESOLVERS = frozenset(
    [
        "8.8.8.8",
        "8.8.4.4",
        "1.1.1.1",
        "1.0.0.1",
        "9.9.9.9",
        "149.112.112.112",
        "208.67.222.222",
        "208.67.220.220",
        "4.2.2.2",
    ]
)
_IP_WORDS = words(
    r"\bip\b|_ip\b|\bips\b|ip.?addr|remote_?addr|\baddress|direcci[oó]n|blocked|bloquead|log(?:ged|in|on) from|visitor|\bclient"
)


def _public(match: Match[str]) -> bool:
    """Tell whether a public address is called somebody's line. Not a version, a resolver, or one of documentation."""
    value = match["value"]
    try:
        address = ip_address(value)
    except ValueError:
        return False
    if not address.is_global or value in _RESOLVERS or address.is_multicast or _VERSION.search(_before(match)):
        return False
    return near(match, _IP_WORDS, 48, 24)


def _private_6(address: IPv6Address) -> bool:
    """Tell whether it is private by RFC 4193 or link-local; `::1`, documentation and short made-up ones are not."""
    return (address.packed[0] & 0xFE == 0xFC or address.is_link_local) and len(set(address.packed)) >= 5


def _host(match: Match[str]) -> bool:
    """Tell whether it is a machine's name, not an attribute in code: something about it, or near it, says so."""
    value = match["value"]
    if _EVERYBODYS.match(value):
        return False
    name = value.rpartition(".")[0]
    before, after = match.string[max(0, match.start() - 3) : match.start()], match.string[match.end() : match.end() + 2]
    located = before.endswith(("//", "@", "\\\\")) or re.match(r":[0-9]|/", after) is not None
    if re.search(r"(?i)[^\x00-\x7f]|\A(?:self|this|threading|module|config|app|window|torch|tf|package)\b", name):
        return located
    return located or re.search(r"[0-9-]", name) is not None or near(match, _HOST_WORDS, 40, 16)


def _mac(match: Match[str]) -> bool:
    plain = re.sub(r"[:.-]", "", match["value"])
    return _NO_MAC.match(plain) is None and len(set(plain)) >= 5 and re.search(r"(?i)[a-f]", plain) is not None


DETECTORS: tuple[Detector, ...] = (
    Detector(
        name="private_ipv4",
        category="network.address",
        pattern=rx(r"(?<![\w.-])(?P<value>(?:10|100|172|192)\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})(?![\w-]|\.[0-9])"),
        source="RFC 1918, RFC 6598; not what manuals show (loopback, routers' factory addresses, whole ranges)",
        check=_address,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="public_ipv4",
        category="network.address",
        pattern=rx(r"(?<![\w.-])(?P<value>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?![\w-]|\.[0-9])"),
        source="RGPD, CJEU C-582/14 (Breyer): the address of somebody's line, beside a word for it",
        check=_public,
        hint=("ip", "addr", "direcci", "block", "bloq", "log", "visitor", "client"),
        confidence=0.6,
        joins=False,
    ),
    Detector(
        name="private_ipv6",
        category="network.address",
        pattern=rx(
            r"(?i)(?<![\w:.-])(?P<value>f(?:[cd][0-9a-f]{2}|e[89ab][0-9a-f])(?::{1,2}[0-9a-f]{1,4}){2,7})(?![\w:])"
        ),
        source="RFC 4193, RFC 4291 (link-local)",
        check=_address,
        confidence=0.8,
        joins=False,
    ),
    Detector(
        name="internal_host",
        category="network.host",
        pattern=rx(
            r"(?i)(?<![\w.$-])(?P<value>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}(?:internal|local|lan|corp|intranet|localdomain|home\.arpa))(?![\w(=-]|\.[a-z])"
        ),
        source="RFC 6762, RFC 8375, ICANN's list of names kept for private use; in code only with a port, a path or a digit",
        check=_host,
        confidence=0.7,
        joins=False,
    ),
    Detector(
        name="mac",
        category="network.mac",
        pattern=rx(
            r"(?i)(?<![\w:.-])(?P<value>[0-9a-f]{2}(?P<gap>[:-])[0-9a-f]{2}(?:(?P=gap)[0-9a-f]{2}){4}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![\w:.-])"
        ),
        source="IEEE 802, EUI-48; not those of RFC 9542 for documents",
        check=_mac,
        confidence=0.8,
        joins=False,
    ),
)
