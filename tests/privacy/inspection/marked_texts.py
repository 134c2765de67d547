"""Harmless texts with numbers between marks: tables, lists, code and pages in which no identifier stands.

None of them may become sensitive because numbers beside each other are read together.
"""

import random


def _rows(seed: int, columns: int, rows: int, low: int, high: int) -> list[list[int]]:
    numbers = random.Random(seed)
    return [[numbers.randint(low, high) for _ in range(columns)] for _ in range(rows)]


def _table(cells: list[list[int]]) -> str:
    head = [f"| {' | '.join(f'c{number}' for number in range(len(cells[0])))} |", "|" + "---|" * len(cells[0])]
    return "\n".join([*head, *(f"| {' | '.join(map(str, row))} |" for row in cells)])


def _html(cells: list[list[int]]) -> str:
    rows = ("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)
    return "<table>" + "".join(rows) + "</table>"


def _lines(cells: list[list[int]], mark: str) -> str:
    return "\n".join(f"{mark}{cell}" for row in cells for cell in row)


WRITTEN = (
    "| year | units |\n|---|---|\n| 2021 | 4521 |\n| 2022 | 4890 |\n| 2023 | 5102 |",
    "| Q1 | Q2 | Q3 | Q4 |\n|---|---|---|---|\n| 4120 | 4380 | 4011 | 4902 |\n| 5120 | 5231 | 5010 | 5342 |",
    "| 2019 | 2020 | 2021 | 2022 | 2023 |\n| 4 | 5 | 6 | 7 | 8 |",
    "| part | stock |\n| A1234 | 5678 |\n| B2345 | 6789 |",
    "| SKU | size |\n| 1234 | 5678X |\n| 2345 | 6789L |",
    "- 1200\n- 1400\n- 1600\n- 1800",
    "1. 4000\n2. 4500\n3. 5000\n4. 5500",
    "- 2021\n- 2022\n- 2023\n- 2024\n- 2025",
    "> 4500 people came\n> 1200 left\n> 3300 stayed",
    "Los años fueron 2001,\n2005,\n2009\ny 2013.",
    'Puertos: ["8080", "8081", "8082", "9090"] en el servidor.',
    "sizes = ['1024', '2048', '4096', '8192']",
    "matrix = [\n  [4000, 4100, 4200, 4300],\n  [5000, 5100, 5200, 5300],\n]",
    "0000 4500 1234 5678\n0010 4600 2345 6789\n0020 4700 3456 7890",
    "00000000  45 00 00 3c 1c 46 40 00  40 06 b1 e6 ac 10 0a 63\n00000010  ac 10 0a 0c 00 50 1f 90  00 00",
    "<td>4500</td><td>1200</td><td>3300</td><td>9000</td>",
    "<tr><td>2021</td><td>4512</td></tr><tr><td>2022</td><td>4777</td></tr>",
    "<li>1001</li>\n<li>1002</li>\n<li>1003</li>\n<li>1004</li>",
    "Precio: **1200** € o **1450** € con IVA.",
    "version `4.18` and `5.10` and `6.1` are supported",
    "12:00:01 | 200 | 1532 | GET /a\n12:00:02 | 404 | 211 | GET /b\n12:00:03 | 200 | 4411 | GET /c",
    "2024-01-01\n2024-02-01\n2024-03-01\n2024-04-01",
    "| date | in | out |\n| 2024-01-01 | 4500 | 3200 |\n| 2024-01-02 | 4700 | 3100 |",
    "| lat | lon |\n| 40.4168 | -3.7038 |\n| 41.3874 | 2.1686 |",
    "k=4\nn=1000\nseed=1234\nsteps=5000",
    "line 4010\nline 4020\nline 4030\nline 4040",
    "4 5 6\n7 8 9\n1 2 3",
    "5 3 4 6 7 8 9 1 2\n6 7 2 1 9 5 3 4 8\n1 9 8 3 4 2 5 6 7\n8 5 9 7 6 1 4 2 3",
    "|5|3|4|6|7|8|9|1|2|\n|6|7|2|1|9|5|3|4|8|\n|1|9|8|3|4|2|5|6|7|",
    "ISBN 978-84-376-0494-7\nISBN 978-0-306-40615-7\nISBN 978-3-16-148410-0",
    "| code | name |\n| 8431 | pan |\n| 8432 | leche |\n| 8433 | huevos |",
    "width: 1920\nheight: 1080\nfps: 60\nbitrate: 4500",
    "for (i = 0; i < 4096; i++) { x[i] = 5120 - i; }",
    "a = 4096; b = 1024; c = 2048; d = 8192;",
    "case 4001:\ncase 4002:\ncase 4003:\ncase 4004:\n  return 1;",
    "200|4500|1200|33\n201|4600|1300|34\n202|4700|1400|35",
    "CP 28001\nCP 08002\nCP 41003\nCP 46004",
    "| CP | city |\n| 28001 | Madrid |\n| 08002 | Barcelona |",
    "rgb(255, 128, 64)\nrgb(12, 34, 56)\nrgb(200, 100, 50)",
    "M 4000 1000 L 5000 2000 L 6000 3000 Z",
    "2024 | 4 | 15 | 4500 | EUR\n2024 | 5 | 16 | 4600 | EUR",
    "GSM 3456\nGSM 4567\nGSM 5678",
    "> 2023: 4321\n> 2024: 4567\n> 2025: 4890\n",
    "1234 -\n5678 -\n9012 -\n3456",
    "4321\n\n1234\n\n9876\n\n5555",
    "Room 4101 <b>4102</b> 4103 <i>4104</i>",
)

TABLES = (
    *(_table(_rows(seed, 4, 6, 1000, 9999)) for seed in range(6)),
    *(_table(_rows(seed, 4, 1, 4000, 4999)) for seed in range(10, 14)),
    *(_table(_rows(seed, 4, 2, 4000, 5999)) for seed in range(20, 24)),
    *(_table(_rows(seed, 2, 8, 10**7, 10**8 - 1)) for seed in range(30, 33)),
    *(_html(_rows(seed, 4, 5, 1000, 9999)) for seed in range(40, 43)),
    *(_lines(_rows(seed, 4, 3, 1000, 9999), "- ") for seed in range(50, 53)),
    *(_lines(_rows(seed, 4, 2, 1000, 9999), "") for seed in range(60, 63)),
    *(_lines(_rows(seed, 2, 4, 10**5, 10**6 - 1), "> ") for seed in range(70, 73)),
    *(", ".join(f'"{cell}"' for row in _rows(seed, 4, 3, 1000, 9999) for cell in row) for seed in range(80, 83)),
)

HARMLESS = (*WRITTEN, *TABLES)


def one_row(seed: int) -> str:
    """Return a table of one row of four numbers."""
    return _table(_rows(seed, 4, 1, 1000, 9999))
