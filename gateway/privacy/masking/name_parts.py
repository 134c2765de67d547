"""What else a person is called whose full name is known: first name, surnames, initials. Pure."""

from collections.abc import Iterator

from gateway.privacy.names.given_names import ALSO_WORDS
from gateway.privacy.names.spelling import plain
from gateway.privacy.patterns import late

_WORD = late(r"[^\W\d_]+(?:['’·-][^\W\d_]+)*")
_PARTICLES = frozenset(
    {
        "de",
        "del",
        "la",
        "las",
        "los",
        "da",
        "do",
        "dos",
        "di",
        "du",
        "van",
        "von",
        "der",
        "den",
        "bin",
        "al",
        "el",
        "y",
        "i",
    }
)
_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "dra", "prof", "sr", "sra", "srta", "don", "doña", "dña", "señor", "señora"}
)
_WORDS = """
blanco blanca rubio moreno castaño robles robledo prieto cortés iglesias guerrero garrote peral castillo campo
campos prado calle torre torres fuente fuentes rio ríos roca rocas sierra monte montes pino pinos rosales leal
bueno bravo gallo cuesta puerta casas plaza mesa pastor herrero caballero delgado gordo rojo pardo crespo
calvo cano luna sol mayor marín santos reina rey conde cruz ángel león toro vaca cordero lobo green brown
white black young long short little small gray grey king knight marsh hill wood woods stone field fields brook
brooks bush rose west north bird fox wolf lamb price bell page rice cook baker butcher smith carter mason
miller fisher hunter shepherd good best sharp strong rich poor may march winter summer banks church hall house
park pond pool rivers lake ford bridge street court day night moon star power love joy hope grace bull fish
drake swan crane hawk finch bond cash penny case chance wise noble savage hardy sweet gold silver major bishop
abbot pope
"""
_COMMON = frozenset(plain(word) for word in _WORDS.split()) | ALSO_WORDS


def parts_of(name: str) -> Iterator[str]:
    """Yield shorter forms of a full name, as they would be written: `Urrutia`, `M. Urrutia`."""
    words = [word for word in _WORD.findall(name) if plain(word) not in _TITLES]
    own = [number for number, word in enumerate(words) if plain(word) not in _PARTICLES and len(word) > 1]
    if len(own) < 2:
        return
    first = words[own[0]]
    yield first
    for number in own[1:]:
        begin = number
        while begin - 1 > own[0] and plain(words[begin - 1]) in _PARTICLES:
            begin -= 1
        for surname in {" ".join(words[begin : number + 1]), words[number]}:
            yield surname
            yield f"{first} {surname}"
            yield f"{first[0]}. {surname}"
            yield f"{first[0]} {surname}"
            yield f"{surname}, {first[0]}."
            if number - own[0] > 1 and own[1] < number:
                second = words[own[1]]
                yield f"{second} {surname}"
                yield f"{first[0]}. {second[0]}. {surname}"
                yield f"{first[0]}.{second[0]}. {surname}"


def spellings_of(part: str) -> tuple[str, ...]:
    """Return a part as it may be written; in small letters only where it is no common word."""
    forms = (part, part.upper(), part.title() if part.islower() else part)
    small = len(part) > 3 and not any(plain(word) in _COMMON for word in _WORD.findall(part))
    return tuple(dict.fromkeys((*forms, part.lower()) if small else forms))
