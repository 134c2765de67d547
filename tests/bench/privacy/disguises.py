"""Identifiers and secrets in disguise, as people who want past a filter write them, and harmless texts of the same forms.

Seeded. Each value is found where it stands plainly, so what is missed here is missed for its disguise.
"""

# ruff: noqa: E501, SIM905 - tables are read by their rows

import base64
import binascii
import codecs
import random
import string
from collections.abc import Callable, Iterator

from tests.privacy.samples import an_iban, draw, number

Disguise = Callable[[str, random.Random], str]

_WORDS = {
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "en": "zero one two three four five six seven eight nine",
    "pt": "zero um dois três quatro cinco seis sete oito nove",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "ca": "zero u dos tres quatre cinc sis set vuit nou",
}
_TWICE = {"es": "doble", "en": "double", "pt": "duplo", "fr": "double", "de": "doppel", "it": "doppio", "ca": "doble"}
_NATO = "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra Tango Uniform Victor Whiskey X-ray Yankee Zulu".split()
_MORSE = dict(
    zip(
        string.ascii_uppercase + string.digits + "@.-",
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .--.-. .-.-.- -....-".split(),
        strict=True,
    )
)
_TENS_ES = "_ diez veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_TEENS_ES = "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve".split()
_TENS_EN = "_ ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_TEENS_EN = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS_DE = "_ zehn zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
_TEENS_DE = "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn".split()


def _spell(language: str, between: str = " ") -> Disguise:
    words = _WORDS[language].split()
    return lambda value, rng: between.join(words[int(c)] if c.isdecimal() else c for c in value if c.isalnum())


def _double(language: str) -> Disguise:
    words = _WORDS[language].split()

    def disguise(value: str, rng: random.Random) -> str:
        told, at = [], 0
        value = "".join(filter(str.isalnum, value))
        while at < len(value):
            letter = value[at]
            word = words[int(letter)] if letter.isdecimal() else letter
            twice = letter.isdecimal() and value[at + 1 : at + 2] == letter
            told.append(f"{_TWICE[language]} {word}" if twice else word)
            at += 1 + twice
        return " ".join(told)

    return disguise


def _pairs(tens: list[str], teens: list[str], units: list[str], join: Callable[[str, str], str]) -> Disguise:
    def two(pair: str) -> str:
        if not pair.isdecimal():
            return " ".join(units[int(c)] if c.isdecimal() else c for c in pair)
        if len(pair) < 2 or pair[0] == "0":
            return " ".join(units[int(c)] for c in pair)
        if pair[0] == "1":
            return teens[int(pair[1])]
        return tens[int(pair[0])] if pair[1] == "0" else join(tens[int(pair[0])], units[int(pair[1])])

    def disguise(value: str, rng: random.Random) -> str:
        value = "".join(filter(str.isalnum, value))
        return " ".join(two(value[at : at + 2]) for at in range(0, len(value), 2))

    return disguise


def _between(mark: str) -> Disguise:
    return lambda value, rng: mark.join(c for c in value if c.isalnum())


def _each(form: str) -> Disguise:
    return lambda value, rng: "".join(form.format(ord(c)) for c in value)


def _base58(value: str) -> str:
    letters = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    rest, told = int.from_bytes(value.encode(), "big"), ""
    while rest:
        rest, letter = divmod(rest, 58)
        told = letters[letter] + told
    return told


def _chunks(value: str, rng: random.Random, before: str, behind: str) -> str:
    parts, at = [], 0
    while at < len(value):
        width = rng.randint(2, 3)
        parts.append(value[at : at + width])
        at += width
    return "".join(f"{before}{part}{behind}" for part in parts)


def _rot47(value: str) -> str:
    return "".join(chr(33 + (ord(c) - 33 + 47) % 94) if 33 <= ord(c) <= 126 else c for c in value)


def _shift(value: str, by: int) -> str:
    return "".join(
        chr((ord(c) - base + by) % 26 + base)
        if c.isascii() and c.isalpha() and (base := 97 if c.islower() else 65)
        else c
        for c in value
    )


_PLAIN: dict[str, Disguise] = {  # of the value, in its sentence
    "letters with dots": _between("."), "slashes": _between("/"), "underscores": _between("_"), "pipes": _between("|"), "stars": _between("*"),
    "commas": _between(", "), "dashes": _between(" - "), "middle dots": _between(" · "), "lines": _between("\n"), "tabs": _between("\t"), "two spaces": _between("  "),
    "brackets": lambda v, r: "".join(f"[{c}]" for c in v), "parentheses": lambda v, r: "".join(f"({c})" for c in v), "quotes": lambda v, r: ", ".join(f"'{c}'" for c in v),
    "tags": lambda v, r: _chunks(v, r, "<b>", "</b>"), "spans": lambda v, r: "".join(f"<span>{c}</span>" for c in v), "comments": lambda v, r: _chunks(v, r, "", "<!-- x -->"), "emphasis": lambda v, r: _chunks(v, r, "**", "**"),
    "added strings": lambda v, r: " + ".join(f'"{v[i:i+3]}"' for i in range(0, len(v), 3)), "backslash at line ends": lambda v, r: "\\\n".join(v[i:i+4] for i in range(0, len(v), 4)),
    "zero-width": lambda v, r: "\u200b".join(v), "word joiners": lambda v, r: "\u2060".join(v), "soft hyphens": lambda v, r: "\u00ad".join(v), "combining": lambda v, r: "".join(c + "\u0336" for c in v), "variation selectors": lambda v, r: "".join(c + "\ufe0e" for c in v),
    "fullwidth": lambda v, r: "".join(chr(ord(c) + 0xFEE0) if 33 <= ord(c) <= 126 else c for c in v), "bold": lambda v, r: "".join(chr(0x1D7CE + int(c)) if c.isdecimal() else c for c in v), "circled": lambda v, r: "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(c)] if c.isdecimal() else c for c in v),
    "superscript": lambda v, r: "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(c)] if c.isdecimal() else c for c in v), "keycaps": lambda v, r: "".join(f"{c}\ufe0f\u20e3" if c.isdecimal() else c for c in v), "Arabic digits": lambda v, r: "".join(chr(0x660 + int(c)) if c.isdecimal() else c for c in v),
    "Chinese digits": lambda v, r: "".join("〇一二三四五六七八九"[int(c)] if c.isdecimal() else c for c in v), "tag characters": lambda v, r: "".join(chr(0xE0000 + ord(c)) for c in v),
    "bytes as variation selectors": lambda v, r: "😀" + "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in v.encode()),
    "zero-width bits": lambda v, r: "x" + "".join("\u200b" if bit == "0" else "\u200c" for b in v.encode() for bit in f"{b:08b}"),
    "entities": _each("&#{};"), "hexadecimal entities": _each("&#x{:x};"), "entities without semicolon": lambda v, r: "".join(f"&#{ord(c):04d}" for c in v), "backslash x": _each("\\x{:02x}"), "backslash u": _each("\\u{:04x}"), "octal": _each("\\{:03o}"), "percent": _each("%{:02X}"),
    "U+": lambda v, r: " ".join(f"U+{ord(c):04X}" for c in v), "chr()": lambda v, r: "+".join(f"chr({ord(c)})" for c in v), "fromCharCode": lambda v, r: f"String.fromCharCode({','.join(str(ord(c)) for c in v)})", "CHAR()": lambda v, r: " || ".join(f"CHAR({ord(c)})" for c in v),
    "code numbers": lambda v, r: " ".join(str(ord(c)) for c in v), "code numbers with dashes": lambda v, r: "-".join(str(ord(c)) for c in v), "hexadecimal": lambda v, r: v.encode().hex(), "hexadecimal pairs": lambda v, r: v.encode().hex(" "), "hexadecimal with 0x": lambda v, r: " ".join(f"0x{ord(c):x}" for c in v),
    "bits": lambda v, r: " ".join(f"{ord(c):08b}" for c in v), "bits in one": lambda v, r: "".join(f"{ord(c):08b}" for c in v), "bits of seven": lambda v, r: " ".join(f"{ord(c):07b}" for c in v), "octal numbers": lambda v, r: " ".join(f"{ord(c):03o}" for c in v),
    "morse": lambda v, r: " ".join(_MORSE[c] for c in v.upper() if c in _MORSE), "morse with slashes": lambda v, r: "/".join(_MORSE[c] for c in v.upper() if c in _MORSE), "morse, other dots": lambda v, r: " ".join(_MORSE[c] for c in v.upper() if c in _MORSE).replace(".", "·").replace("-", "−"),
    "base64": lambda v, r: base64.b64encode(v.encode()).decode(), "base64 twice": lambda v, r: base64.b64encode(base64.b64encode(v.encode())).decode(), "base64 backwards": lambda v, r: base64.b64encode(v.encode()).decode()[::-1] + " (reversed)", "base64 in pieces": lambda v, r: " ".join(_pieces(base64.b64encode(v.encode()).decode(), 4)),
    "base32": lambda v, r: base64.b32encode(v.encode()).decode(), "base32 in small letters": lambda v, r: base64.b32encode(v.encode()).decode().lower().rstrip("="), "base58": lambda v, r: _base58(v), "base85": lambda v, r: base64.b85encode(v.encode()).decode(), "Ascii85": lambda v, r: base64.a85encode(v.encode(), adobe=True).decode(), "Z85": lambda v, r: _z85(v),
    "uuencode": lambda v, r: "begin 644 x\n" + binascii.b2a_uu(v.encode()).decode() + "`\nend", "quoted-printable": lambda v, r: "".join(f"={ord(c):02X}" for c in v),
    "backwards, said": lambda v, r: v[::-1] + " (al revés)", "backwards, in English": lambda v, r: v[::-1] + ", read it backwards",
    "ROT13, said": lambda v, r: codecs.encode(v, "rot13") + " (rot13)", "ROT47, said": lambda v, r: _rot47(v) + " (ROT47)", "Caesar 3, said": lambda v, r: _shift(v, 3) + " (César 3)", "atbash, said": lambda v, r: _atbash(v) + " (atbash)",
    **{f"spelled, {lang}": _spell(lang) for lang in _WORDS}, **{f"spelled with commas, {lang}": _spell(lang, ", ") for lang in ("es", "en", "de")}, **{f"spelled with hyphens, {lang}": _spell(lang, "-") for lang in ("es", "en", "fr")}, **{f"spelled with doubles, {lang}": _double(lang) for lang in _WORDS},
    "spelled by twos, es": _pairs(_TENS_ES, _TEENS_ES, _WORDS["es"].split(), lambda a, b: f"{a} y {b}".replace("veinte y ", "veinti")), "spelled by twos, en": _pairs(_TENS_EN, _TEENS_EN, _WORDS["en"].split(), lambda a, b: f"{a}-{b}"), "spelled by twos, de": _pairs(_TENS_DE, _TEENS_DE, _WORDS["de"].split(), lambda a, b: ("ein" if b == "eins" else b) + "und" + a),
    "spelled in capitals": lambda v, r: _spell("es")(v, r).upper(), "phonetic alphabet": lambda v, r: " ".join(_NATO[ord(c.upper()) - 65] if c.isascii() and c.isalpha() else _WORDS["en"].split()[int(c)] if c.isdecimal() else c for c in v), "O and l for digits": lambda v, r: v.replace("0", "O").replace("1", "l"),
}  # fmt: skip
_MAIL: dict[str, Disguise] = {
    "(at) (dot)": lambda v, r: v.replace("@", " (at) ").replace(".", " (dot) "), "[at] [dot]": lambda v, r: v.replace("@", "[at]").replace(".", "[dot]"), "AT DOT": lambda v, r: v.replace("@", " AT ").replace(".", " DOT "), "at dot": lambda v, r: v.replace("@", " at ").replace(".", " dot "),
    "arroba punto": lambda v, r: v.replace("@", " arroba ").replace(".", " punto "), "(arroba)": lambda v, r: v.replace("@", "(arroba)"), "arrobase point": lambda v, r: v.replace("@", " arobase ").replace(".", " point "), "arroba ponto": lambda v, r: v.replace("@", " arroba ").replace(".", " ponto "), "Klammeraffe Punkt": lambda v, r: v.replace("@", " Klammeraffe ").replace(".", " Punkt "),
    "chiocciola punto": lambda v, r: v.replace("@", " chiocciola ").replace(".", " punto "), "arrova punt": lambda v, r: v.replace("@", " arrova ").replace(".", " punt "), "{at}": lambda v, r: v.replace("@", "{at}"), "REMOVETHIS": lambda v, r: v.replace("@", "@NOSPAM."), "spaces around": lambda v, r: v.replace("@", " @ ").replace(".", " . "), "_at_": lambda v, r: v.replace("@", "_at_").replace(".", "_dot_"),
}  # fmt: skip


def _pieces(value: str, size: int) -> list[str]:
    return [value[at : at + size] for at in range(0, len(value), size)]


def _atbash(value: str) -> str:
    there = string.ascii_lowercase + string.ascii_uppercase
    return value.translate(str.maketrans(there, string.ascii_lowercase[::-1] + string.ascii_uppercase[::-1]))


def _z85(value: str) -> str:
    there = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    return base64.b85encode(value.encode()).decode().translate(str.maketrans(there, letters))


def _dni(rng: random.Random) -> str:
    body = number(rng, 8)
    return body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]


def _nie(rng: random.Random) -> str:
    body = number(rng, 7)
    return "X" + body + "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]


def _card(rng: random.Random) -> str:
    body = "4" + "".join(rng.choice(string.digits) for _ in range(14))
    total = sum(sum(divmod(int(c) * (2 if at % 2 == 0 else 1), 10)) for at, c in enumerate(body))
    return body + str(-total % 10)


def _iban(rng: random.Random) -> str:
    return an_iban(rng).replace(" ", "")


def _mail(rng: random.Random) -> str:
    return f"{rng.choice(('ana', 'luis', 'marta', 'jon'))}.{rng.choice(('gil', 'vega', 'roca', 'sanz'))}@{rng.choice(('correo', 'talleres', 'clinica'))}.{rng.choice(('es', 'com', 'org'))}"


_NUMBERS: tuple[tuple[str, Callable[[random.Random], str]], ...] = (
    ("Mi DNI es {}", _dni), ("NIE: {}", _nie), ("My card number is {}", _card), ("El IBAN de la cuenta es {}", _iban), ("Llámame al {}", lambda r: "6" + number(r, 8)), ("My phone: {}", lambda r: "+346" + number(r, 8)),
)  # fmt: skip
_SECRETS: tuple[tuple[str, Callable[[random.Random], str]], ...] = (
    ("Escribe a {}", _mail), ("La contraseña es {}", lambda r: r.choice(("Verano", "Grulla", "Tomate")) + number(r, 4) + r.choice("!#$")), ("key: {}", lambda r: "ghp_" + draw(r, string.ascii_letters + string.digits, 36)),
)  # fmt: skip
_NUMERIC = (
    "spelled",
    "bold",
    "circled",
    "superscript",
    "keycaps",
    "Arabic",
    "Chinese",
    "commas",
    "O and l",
    "phonetic",
)
_NO_DIGITS = ("ROT13", "Caesar", "atbash", "O and l")  # change letters alone
_LETTERS_LOST = (
    "letters with dots",
    "slashes",
    "underscores",
    "pipes",
    "stars",
    "commas",
    "dashes",
    "middle dots",
    "lines",
    "tabs",
    "two spaces",
    "morse",
)


def hidden(seed: int, each: int = 3) -> Iterator[tuple[str, str]]:
    """Kind of disguise and text; `each` of every kind with different values."""
    rng = random.Random(seed)
    for name, disguise in _PLAIN.items():
        for turn in range(each):
            pool = _NUMBERS if name.startswith((*_NUMERIC, *_LETTERS_LOST)) else (*_NUMBERS, *_SECRETS)
            if name.startswith(_NO_DIGITS):
                pool = (
                    (_NUMBERS[0], _NUMBERS[1], _SECRETS[0])
                    if name.startswith("O and")
                    else (_SECRETS[0], _SECRETS[1], _SECRETS[2])
                )
            if name.startswith("O and"):
                pool = _NUMBERS[:4]
            sentence, make = pool[turn % len(pool)] if name.startswith(_NO_DIGITS) else rng.choice(pool)
            value = make(rng)
            if name.startswith("O and"):
                while not set(value) & set("01"):
                    value = make(rng)
            yield name, sentence.format(disguise(value, rng))
    for name, disguise in _MAIL.items():
        for _ in range(each):
            yield name, rng.choice(("Escribe a {}", "My mail is {}", "{}")).format(disguise(_mail(rng), rng))


HARMLESS = (
    "... --- ... is the signal that every ship knows.", ".... . .-.. .-.. --- / .-- --- .-. .-.. -..", "El poema en morse dice: .- -- --- .-. / -.-- / -- .- .-.", "Learn morse: E is ., T is -, A is .-, N is -., M is --, I is ..", "| --- | :---: | ---: |\n| a | b | c |", "- - - - - - - - - - -", ". . . . . . . . . .", "___ ___ ___ ___ ___ ___ ___", "-- -- -- -- .. .. .. .. -- --",
    "Binary homework: 1010 + 0110 = 10000; 1111 - 0001 = 1110.", "Convert 01101000 01100101 01101100 01101100 01101111 to text.", "01001000 01101111 01101100 01100001 00100001 significa hola.", "Truth table: 000 001 010 011 100 101 110 111", "0000000 1111111 0101010 1010101 1100110 0011001 are patterns of seven bits.", "mask = 0b11110000; flags: 00000001 00000010 00000100 00001000 00010000", "Chess board rows: 10101010 01010101 10101010 01010101 10101010",
    "one two three testing, can you hear me?", "One, two, buckle my shoe; three, four, knock at the door; five, six, pick up sticks.", "uno dos tres cuatro cinco seis siete ocho nueve diez", "Cuenta atrás: diez, nueve, ocho, siete, seis, cinco, cuatro, tres, dos, uno, cero.", "eins zwei drei vier fünf sechs sieben acht neun zehn", "un deux trois nous irons au bois, quatre cinq six cueillir des cerises", "Take two eggs, three spoons of sugar and one cup of milk; bake for forty minutes.", "Dos huevos, tres cucharadas de azúcar, una taza de leche y cuarenta minutos de horno.",
    "The score was six to three, four to six, seven to five.", "Perdimos tres a dos, ganamos cuatro a uno y empatamos cero a cero.", "She has two sons, three daughters, nine grandchildren and one dog.", "Between eight and nine, five of the seven left; two or three came back at six.", "The bus lines one, two, four, six and nine stop here.", "Los autobuses uno, dos, cuatro, seis y nueve paran aquí.", "In nineteen eighty-four, two of three houses had one radio.", "Mil novecientos ochenta y cuatro es una novela de Orwell.", "Twenty-twenty vision, fifty-fifty chances and one hundred percent.", "fois deux, trois fois quatre, cinq fois six: les tables de multiplication",
    "Ten green bottles, nine green bottles, eight green bottles.", "Repeat: two four six eight, who do we appreciate?", "A ratio of one to two to four to eight.", "Fibonacci: zero, one, one, two, three, five, eight, thirteen, twenty-one.", "Los números primos son dos, tres, cinco, siete, once, trece y diecisiete.", "Pi is three point one four one five nine.", "Jazz in five four, seven eight and nine eight.", "On the count of three: one, two, three, go! Five, six, seven, eight!",
    "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett", "The NATO alphabet has Kilo, Lima, Mike, November and Oscar.", "Tango and whiskey in a hotel in Quebec, said Romeo to Juliet.", "Flight Lima Hotel four six two is ready for departure.", "Hotel Victor, room two one four.",
    "What is ROT13? It moves each letter by thirteen places.", "Uryyb, jbeyq! (rot13)", "Encode 'hello world' in rot13.", "The Caesar cipher with shift 3 turns A into D.", "Julio César cruzó el Rubicón en el año 49 antes de Cristo.", "dlrow olleh is hello world backwards.", "A man a plan a canal panama reads the same backwards.", "Escribe 'anilina' al revés.", "reverse(12345) should return 54321", "list.reverse() then reversed(range(10))", "The reverse of 2024 is 4202.", "Atbash of ABC is ZYX.", "Una ensalada César con 200 g de pollo y 30 g de parmesano.", "Revert commit 4f2a9c1; reverse proxy on port 8080", "traceroute -n, inverse of the matrix [[1, 2], [3, 4]]",
    "Meet me at the corner, dot the i and cross the t.", "We met at Google dot com bubble parties.", "Look at point three and point four.", "Llegamos a las tres en punto y salimos a las cuatro en punto.", "a @ b computes the matrix product; x @ y.T", "git@github.com:owner/repo.git", "@property\ndef name(self): ...", "una arroba son 11,5 kilos", "Point at [at] and click.", "std::vector<int>::at(index)", "@media (max-width: 600px) { .a { color: red } }",
    "[1][2][3][4][5][6][7][8][9]", "(a) first (b) second (c) third (d) fourth (e) fifth", "[6, 3, 2, 8, 9, 1, 0, 4, 5]", "1, 2, 3, 5, 8, 13, 21, 34, 55", "6 1 2 3 4 5 6 7 8 is a row of the sudoku", "5 3 . . 7 . . . .\n6 . . 1 9 5 . . .\n. 9 8 . . . . 6 .", "1/2/3/4/5/6/7/8/9", "6|3|8|2|9|1|0|4|5\n1|2|3|4|5|6|7|8|9", "a_b_c_d_e_f_g_h_i", "A-B-C-D-E-F-G-H", "Grades: 7, 8, 6, 9, 5, 7, 8, 6, 10", "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'", "digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']", "Bingo: 6\n1\n2\n9\n4\n7\n3\n5\n8", "T-R-W-A-G-M-Y-F-P-D-X-B-N-J-Z-S-Q-V-H-L-C-K-E are the letters.", "x\ty\tz\n6\t3\t1\n2\t4\t9",
    "<b>1</b><b>2</b><b>3</b>", "<td>6</td><td>3</td><td>2</td><td>8</td><td>9</td><td>1</td><td>0</td><td>4</td><td>5</td>", "H<sub>2</sub>SO<sub>4</sub> and C<sub>6</sub>H<sub>12</sub>O<sub>6</sub>", "x<sup>2</sup>+y<sup>2</sup>=z<sup>2</sup>", '"foo" + "bar" + "baz"', 'path = "a/" + "b/" + "c.txt"', "**bold****text** and `code``more`", "echo one \\\n  two \\\n  three",
    "&#72;&#111;&#108;&#97;", "chr(72)+chr(111)+chr(108)+chr(97)", "String.fromCharCode(72, 101, 108, 108, 111)", "U+0041 U+0042 U+0043 U+0044 are the first letters.", "\\u0048\\u006f\\u006c\\u0061", "0x48 0x65 0x6c 0x6c 0x6f", "72 101 108 108 111 32 119 111 114 108 100", "10-20-30-40-50-60-70-80", "192.168.1.1 and 127.0.0.1 and 255.255.255.0", "31-12-28-31-30-31-30-31 days", "100 200 300 400 500 600 700 800", "12:30:45:10:20:30:40:50", "644 755 600 700 444 555 664 775 are modes of files.", "RGB: 255, 128, 64; 0, 0, 0; 12, 34, 56",
    "SGVsbG8sIHdvcmxkIQ== is hello, world in base64.", "JBSWY3DPEBLW64TMMQ====== is base32.", "48656c6c6f20776f726c6421", "9Ajdvzr is Hello in base58", "nm=QNzY&b1A+]nf", "begin 644 hello.txt\n,2&5L;&\\L('=O<FQD\n`\nend", "Uno de ellos dijo: uno de cada cinco, dos de cada siete.", "6O dólares, IO manzanas y l00 peras", "Il faut O2, CO2, H2O et N2O: l'oxygène", "OOO0000lllIII", "lOO% sure", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 wins against 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "❤️ 🇪🇸 👩🏽‍🚀 1️⃣ 2️⃣ 3️⃣", "二〇二四年 三月 五日", "一二三四五六七八九十",
    "Dormí de once a siete, seis noches de cada siete, y dos siestas.", "Zwei von drei, vier von fünf und sechs von sieben sagen ja.", "três tigres tristes para três pratos de trigo, sete vezes oito é cinquenta e seis", "due più due fa quattro, tre per tre fa nove, sei meno uno fa cinque", "dos i dos fan quatre, tres i tres fan sis, quatre i quatre fan vuit", "deux et deux font quatre, trois et trois font six, quatre et quatre font huit",
)  # fmt: skip


def texts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """All disguises as one kind, and the harmless texts as `clean`."""
    for _, text in hidden(seed, max(1, each // 50)):
        yield "identifiers in disguise", text
    for text in HARMLESS:
        yield "clean", text
