"""Spanish clinical notes of made-up patients: reports with headers, and notes as they are dictated, with abbreviations.
Seeded."""

# ruff: noqa: E501 - tables are read by their rows

import random
from collections.abc import Iterator

from tests.privacy.samples import number

NAMES = [
    "Ana",
    "Lucía",
    "Marta",
    "Carmen",
    "Pilar",
    "Begoña",
    "Nuria",
    "José",
    "Luis",
    "Javier",
    "Iker",
    "Pau",
    "Manuel",
    "Rubén",
    "Andrés",
    "Óscar",
]
SURNAMES = [
    "García",
    "Pérez",
    "Ruiz",
    "Etxeberria",
    "Puig",
    "Domínguez",
    "Muñoz",
    "Ortega",
    "Vázquez",
    "Llorente",
    "Cano",
    "Soler",
    "Iglesias",
    "Núñez",
]
WHO = ("Varón de {a} años", "Mujer de {a} años", "Paciente de {a} años", "Lactante de 7 meses", "Niño de 9 años", "Pte. de {a} a.", "Hombre {a} a", "Mujer {a}a", "Gestante de 32 años", "Anciana de 87 años", "Se trata de un varón de {a} años",
       "V {a}a", "Adolescente de 15 años", "RN a término", "Neonato de 12 días", "Señora de {a} años de edad")  # fmt: skip
BEFORE = ("sin AP de interés", "con HTA y DM2 en tto con metformina", "con AP de EPOC, exfumador de 30 paq/año", "NAMC", "alérgica a penicilina", "con antecedentes de ictus isquémico", "IQ: apendicectomía", "con FA anticoagulada con acenocumarol", "VIH+ en TARV",
          "portador de marcapasos", "con dislipemia, asma y obesidad", "trasplantado renal en 2014", "con enf. de Crohn en tto biológico")  # fmt: skip
COMES = ("acude a urgencias por dolor torácico opresivo de 2 h de evolución", "que consulta por cefalea y fiebre de 39 ºC", "remitido por disnea progresiva y edemas en MMII", "ingresa por hematuria macroscópica", "refiere dolor abdominal en FID con náuseas y vómitos",
         "que presenta lesiones eritematosas en tronco", "traído por caída casual con impotencia funcional de cadera", "derivada por nódulo mamario palpable", "acude a revisión", "con astenia y pérdida de 10 kg en 3 meses", "consulta por ánimo bajo, insomnio e ideación autolítica")  # fmt: skip
FOUND = ("EF: BEG, ACP normal, abdomen blando y depresible", "TA 145/90, FC 98 lpm, SatO2 93 % basal", "Analítica: Hb 9,8, leucos 14.300, PCR 120", "ECG: RS a 80 lpm, sin alteraciones de la repolarización", "TC abdominal: masa renal izquierda de 6 cm", "Rx tórax: condensación en LID",
         "RMN craneal con lesión ocupante de espacio frontal", "Ecografía: colelitiasis sin signos de colecistitis", "Biopsia: carcinoma ductal infiltrante", "Hemocultivos positivos para E. coli", "Exploración neurológica sin focalidad", "PSA 12 ng/ml, tacto rectal sospechoso")  # fmt: skip
THEN = ("JC: neumonía adquirida en la comunidad", "Dx: IAMCEST inferior", "Se inicia amoxicilina-clavulánico 875/125 mg c/8 h", "Intervenida quirúrgicamente sin incidencias", "Plan: control por MAP y revisión en 3 meses", "Tto: paracetamol 1 g/8 h si dolor", "Evolución favorable, alta a los 5 días",
        "Se pauta sertralina 50 mg 1-0-0", "Exitus a las 48 h", "Pendiente de anatomía patológica", "Se deriva a Oncología para QT", "Diagnóstico: fractura pertrocantérea derecha")  # fmt: skip
HEADS = (
    "Nombre: {n}\nApellidos: {s}\nNHC: {h}\nFecha de nacimiento: {d}\nSexo: M\nServicio de Urgencias\n", "PACIENTE: {n} {s}   Nº Hª: {h}\nEpisodio: {h}\nFecha de ingreso: {d}\n", "Informe de alta\nMédico: Dra. {s}\nFecha de alta: {d}\n", "HOSPITAL GENERAL - CONSULTAS EXTERNAS\nHC {h}\n",
    "Motivo de consulta: ", "Hoja de evolución {d}\n", "Interconsulta a Cardiología. ", "MC: ", "", "", "", "Resume este informe: ", "Redacta el informe de alta. ", "Nota de enfermería. ",
)  # fmt: skip


def texts(seed: int, each: int) -> Iterator[tuple[str, str]]:
    """Kind and text."""
    rng = random.Random(seed)
    for turn in range(2 * each):
        head = rng.choice(HEADS[:4] if turn % 2 else HEADS[4:])
        values = {
            "a": str(rng.randint(18, 94)),
            "n": rng.choice(NAMES),
            "s": f"{rng.choice(SURNAMES)} {rng.choice(SURNAMES)}",
            "h": number(rng, 7),
            "d": f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}/{rng.randint(1935, 2024)}",
        }
        who = f"{rng.choice(WHO)} {rng.choice(BEFORE)}, {rng.choice(COMES)}"
        rest = rng.sample((*FOUND, *THEN), rng.choice((1, 2, 4)) if turn % 2 == 0 else rng.choice((3, 5, 8)))
        text = (head + ". ".join((who, *rest)) + ".").format(**values)
        yield ("notes" if turn % 2 == 0 else "reports"), text
