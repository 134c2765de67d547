"""Further texts in other words, written when the detectors stood. Seeded.

Measured once before anything was changed; the README has that figure. Then the lexicon of clinical words and the
patterns of passwords were widened, so for these texts too a new pair of eyes is needed.
"""

# ruff: noqa: E501 - tables are read by their rows

import random
from collections.abc import Iterator

from tests.bench.privacy import spanish, vendors

IDENTIFIERS = {
    "DNI": ("Adjunto copia del documento ({}) para el alta", "SELECT * FROM socios WHERE nif='{}'", "firma: {} - conforme", "usuario={};rol=lector", "¿puedes comprobar si {} cobra el subsidio?"),
    "NIE": ("permiso de residencia a nombre de {}", "\"nie_trabajador\":\"{}\"", "empadronamiento de {} en Getafe"),
    "CIF": ("proveedor {} impagado", "emitir a {} con IVA", "B2B: {}"),
    "NUSS": ("alta en la Seguridad Social con {}", "NUSS trabajador: {}", "afiliado a la seguridad social, {}"),
    "IBAN": ("nómina a {} cada mes", "payee {}", "devolver al {} antes del viernes"),
    "card": ("cóbralo en {}", "card on file {}", "me han clonado la {}"),
    "plate": ("me robaron el coche {} anoche", "permiso de circulación, matrícula {}", "denuncia al vehículo {}"),
    "passport": ("vuela con pasaporte {}", "pasaporte caducado: {}"),
    "health card": ("paciente con tarjeta sanitaria {}", "CIP: {} (Cataluña)"),
    "phone": ("contacta con el cliente en el {}", "Tel {}", "su móvil es {}"),
    "e-mail": ("reenvía a {} por favor", "cc: {}", "user_email={}"),
}  # fmt: skip
SECRETS = (
    "Here is my config:\n\nservice:\n  auth:\n    {n}: {v}\n", "resource \"x\" \"y\" {{\n  {n} = \"{v}\"\n}}", "requests.post(url, headers={{\"{n}\": \"{v}\"}})", "I accidentally committed {v} — how do I purge it?", "{n} :: {v}", "echo {v} | docker login -u ana --password-stdin",
    "wget --header='{n}: {v}' https://x.io", "fetch(u, {{ headers: {{ '{n}': '{v}' }} }})", "he pegado sin querer {v} en el chat", "{n}:\n  value: {v}", "public static final String {n}=\"{v}\";", "?{n}={v}",
)  # fmt: skip
PASSWORDS = ("Puedes entrar con la contraseña {v}", "mi contraseña de Netflix: {v}", "passphrase is {v}", "login/password: ana/{v}", "el usuario es ana y la clave {v}", "Password for the router = {v}", "root:{v}@nas", "PASS={v} ./run.sh", "temporary password {v} expires today")  # fmt: skip
CLINICAL = (
    "Acude varón de {a} años por palpitaciones. ECG con FA a 140 lpm. Se cardiovierte.", "Paciente mujer, {a} años. Refiere tos y expectoración. Auscultación con crepitantes. Se prescribe levofloxacino.", "{a} años, diabética, úlcera en pie derecho con signos de infección; cura y antibiótico.",
    "Niña de 4 años con otitis media aguda, pautada amoxicilina.", "Dejo informe: hombre de {a} años intervenido de hernia inguinal, alta sin complicaciones.", "Epicrisis. Ingresada por pancreatitis aguda litiásica, {a} años, buena evolución.", "Resume: mujer de {a} años, embarazo de 32 semanas, amenaza de parto prematuro, maduración con betametasona.",
    "Valoración psiquiátrica: varón de {a} años, episodio depresivo grave, se ajusta venlafaxina.", "Trasladado desde residencia, {a} años, demencia avanzada, neumonía aspirativa, sedación paliativa.", "Se interviene a paciente de {a} años de catarata en ojo izquierdo sin incidencias.",
)  # fmt: skip
CLEAN = (
    "Escribe un cuento sobre un dragón que aprende a leer.", "Convert {k} kilometres to miles.", "The invoice total was {k}.50 dollars including tax.", "Refactor this: for i in range({k}): print(i ** 2)", "Pedido n.º {k}{k} confirmado", "¿Cuántos divisores tiene {k}?", "const id = 'item-{k}-b';", "Explain the difference between TCP and UDP.",
    "npm ERR! code E{k} while resolving react@18.2.0", "Give me five names for a cat.", "La reunión es a las 10:30 en la sala {k}.", "What causes rain?", "CREATE TABLE users (id SERIAL, password VARCHAR(255));", "How do I write a strong password policy?", "Resume las ventajas de la energía solar.", "print('token count:', {k})", "Who wrote Hamlet?",
    "The flight BA{k} leaves from gate 12.", "x = [{k}, 3, 8]; sum(x)", "rgb({k}, 20, 255) to hex", "Plan a three-day trip to Lisbon.", "¿Qué significa el código HTTP 404?", "Rewrite in passive voice: the team built the bridge.", "commit {h}", "docker pull redis@sha256:{h}{h}", "uuid {h}", "Explica la fotosíntesis a un niño de 9 años.",
)  # fmt: skip


def texts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Kind and text; what begins with `clean` has nothing to find."""
    rng = random.Random(seed)
    for _ in range(each):
        kind, shapes = rng.choice(list(IDENTIFIERS.items()))
        yield "identifiers", rng.choice(shapes).replace("{}", spanish.NAMED[kind][0](rng))
        value = rng.choice(list((vendors.KNOWN | vendors.UNKNOWN).values()))(rng)
        yield "secrets", rng.choice(SECRETS).format(n=rng.choice(vendors.NAMES), v=value)
        yield "passwords", rng.choice(PASSWORDS).format(v=vendors.password(rng))
        yield "clinical", rng.choice(CLINICAL).format(a=rng.randint(19, 93))
        yield (
            "clean",
            rng.choice(CLEAN).format(k=rng.randint(10, 9999), h="".join(rng.choices("0123456789abcdef", k=32))),
        )
