"""What stands in documents, before anybody has set it: letters, tables and forms of made-up people, and clean ones."""

# ruff: noqa: E501 - tables are read by their rows

import random
from collections.abc import Callable

import msgspec

from tests.bench.attachments.corpus.facts import Fact, named, passage

Rows = tuple[tuple[str, ...], ...]


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A title, paragraphs, and perhaps a table; the facts that were planted in them."""

    title: str
    paragraphs: tuple[str, ...] = ()
    rows: Rows = ()
    facts: tuple[Fact, ...] = ()

    @property
    def told(self) -> str:
        """All of it as text."""
        return "\n".join((self.title, *self.paragraphs, *("  ".join(row) for row in self.rows)))

    def beside(self, one: Fact) -> str:
        """All of it as text, and a fact behind it."""
        return f"{self.told}\n{one.told}"


def clinic_letter(rng: random.Random, language: str) -> Content:
    """A letter from a hospital, with one identifier in its head."""
    if language == "es":
        one = named(rng, "es", rng.choice(("DNI", "NIE", "NSS")))
        return Content(title="HOSPITAL COMARCAL - INFORME DE ALTA", paragraphs=(
            f"Paciente: Begoña Núñez Vázquez    {one.told}", "Motivo de ingreso: dolor torácico opresivo de dos horas de evolución.",
            "Se realiza coronariografía con implante de un stent. Evolución favorable.", "Tratamiento: ácido acetilsalicílico 100 mg y atorvastatina 80 mg."), facts=(one,))  # fmt: skip
    one = named(rng, "en", "NHS")
    return Content(title="COUNTY HOSPITAL - DISCHARGE SUMMARY", paragraphs=(
        f"Patient: Margaret Holloway    {one.told}", "Admitted with central chest pain lasting two hours.",
        "Coronary angiography showed a single lesion, treated with one stent.", "Medication: aspirin 75 mg and atorvastatin 80 mg daily."), facts=(one,))  # fmt: skip


def invoice(rng: random.Random, language: str) -> Content:
    """An invoice to a private person, to be paid to an account."""
    one = named(rng, language, "IBAN")
    if language == "es":
        return Content(title="FACTURA 2024/0187", paragraphs=("Reforma de cocina. Vencimiento a 30 días.", f"Forma de pago: transferencia. {one.told}"),
                       rows=(("Concepto", "Uds.", "Importe"), ("Encimera", "1", "840,00"), ("Mano de obra", "12", "360,00"), ("Total", "", "1.200,00")), facts=(one,))  # fmt: skip
    return Content(title="INVOICE 2024-0187", paragraphs=("Kitchen refurbishment. Due within 30 days.", f"Pay by bank transfer. {one.told}"),
                   rows=(("Item", "Qty", "Amount"), ("Worktop", "1", "840.00"), ("Labour", "12", "360.00"), ("Total", "", "1,200.00")), facts=(one,))  # fmt: skip


def payslip(rng: random.Random, language: str) -> Content:
    """A payslip, whose identifiers stand in a table."""
    first = named(rng, language, "DNI" if language == "es" else "SSN")
    second = named(rng, language, "NSS" if language == "es" else "IBAN")
    labels = ("Concepto", "Salario base", "Líquido a percibir") if language == "es" else ("Item", "Base pay", "Net pay")
    return Content(title="RECIBO DE SALARIOS" if language == "es" else "PAYSLIP",
                   rows=((first.label, first.value), (second.label, second.value), (labels[0], "EUR"), (labels[1], "1.840,00"), (labels[2], "1.512,30")),
                   facts=(first, second))  # fmt: skip


def court_letter(rng: random.Random, language: str) -> Content:
    """A letter from a court, in one long paragraph."""
    one = named(rng, language, "NIE" if language == "es" else "passport")
    if language == "es":
        text = (f"En el procedimiento de desahucio seguido a instancia de la arrendadora contra don Rubén Cano Iglesias, con {one.told}, se le cita a la vista "
                "que se celebrará en la sala tercera, con apercibimiento de que de no comparecer se declarará el desahucio sin más trámites.")  # fmt: skip
        return Content(
            title="JUZGADO DE PRIMERA INSTANCIA N.º 3 - CÉDULA DE CITACIÓN", paragraphs=(text,), facts=(one,)
        )
    text = (f"In the matter of the claim for possession against Mr Daniel Okafor ({one.told}), the defendant is ordered to attend the hearing "
            "in court room three; should he fail to attend, the court may decide in his absence.")  # fmt: skip
    return Content(title="COUNTY COURT - NOTICE OF HEARING", paragraphs=(text,), facts=(one,))


def contract(rng: random.Random, language: str) -> Content:
    """A lease between two private people."""
    one, two = named(rng, language, "DNI" if language == "es" else "passport"), named(rng, language, "phone")
    if language == "es":
        paragraphs = (f"De una parte, doña Carmen Soler Puig, {one.told}, en adelante la arrendadora.", "De otra, el arrendatario, que acepta la vivienda en su estado actual.",
                      f"Las partes se comunicarán por {two.told}.", "La renta es de 780 euros al mes, pagadera por adelantado.")  # fmt: skip
        return Content(title="CONTRATO DE ARRENDAMIENTO DE VIVIENDA", paragraphs=paragraphs, facts=(one, two))
    paragraphs = (f"Between Mrs Susan Whitcombe, {one.told}, the landlord,", "and the tenant, who accepts the dwelling as it stands.",
                  f"Notices are given by telephone. {two.told}.", "The rent is 980 pounds a month, payable in advance.")  # fmt: skip
    return Content(title="TENANCY AGREEMENT", paragraphs=paragraphs, facts=(one, two))


def bank_statement(rng: random.Random, language: str) -> Content:
    """Movements of an account, and its card."""
    one, two = named(rng, language, "IBAN"), named(rng, language, "card")
    head = ("Fecha", "Concepto", "Saldo") if language == "es" else ("Date", "Details", "Balance")
    rows = (
        head,
        ("02/05", "Supermercado" if language == "es" else "Groceries", "1.204,11"),
        ("07/05", "Gas", "1.150,60"),
        ("11/05", "Farmacia" if language == "es" else "Pharmacy", "1.128,05"),
    )
    return Content(
        title="EXTRACTO DE CUENTA" if language == "es" else "ACCOUNT STATEMENT",
        paragraphs=(one.told, two.told),
        rows=rows,
        facts=(one, two),
    )


def lab_table(rng: random.Random, language: str) -> Content:
    """Results of a blood test."""
    one = named(rng, language, "DNI" if language == "es" else "NHS")
    if language == "es":
        rows = (
            ("Prueba", "Resultado", "Referencia"),
            ("Hemoglobina", "9,8 g/dl", "12-16"),
            ("Creatinina", "1,9 mg/dl", "0,6-1,2"),
            ("VIH Ac", "POSITIVO", "negativo"),
        )
    else:
        rows = (
            ("Test", "Result", "Reference"),
            ("Haemoglobin", "9.8 g/dl", "12-16"),
            ("Creatinine", "1.9 mg/dl", "0.6-1.2"),
            ("HIV Ab", "POSITIVE", "negative"),
        )
    return Content(
        title="LABORATORIO DE ANÁLISIS" if language == "es" else "BLOOD TEST REPORT",
        paragraphs=(one.told,),
        rows=rows,
        facts=(one,),
    )


def email_print(rng: random.Random, language: str) -> Content:
    """A message as a mail program prints it."""
    one = named(rng, language, "e-mail")
    words = (
        ("De", "Asunto: la cita del martes", "Hola, confirmo que iré a la revisión con el oncólogo el martes.")
        if language == "es"
        else ("From", "Subject: Tuesday's appointment", "Hello, I confirm that I will see the oncologist on Tuesday.")
    )
    return Content(
        title="Correo" if language == "es" else "Mail",
        paragraphs=(f"{words[0]}: {one.value}", words[1], words[2]),
        facts=(one,),
    )


def application_form(rng: random.Random, language: str) -> Content:
    """A form that somebody filled in."""
    kinds = ("DNI", "phone", "plate") if language == "es" else ("SSN", "phone", "e-mail")
    facts = tuple(named(rng, language, kind) for kind in kinds)
    return Content(title="SOLICITUD DE TARJETA DE RESIDENTE" if language == "es" else "APPLICATION FOR A RESIDENT'S PERMIT",
                   rows=tuple((one.label, one.value) for one in facts), facts=facts)  # fmt: skip


Layout = Callable[[random.Random, str], Content]
LAYOUTS: dict[str, Layout] = {
    "clinic letter": clinic_letter, "invoice": invoice, "payslip": payslip, "court letter": court_letter, "contract": contract,
    "bank statement": bank_statement, "lab table": lab_table, "e-mail print": email_print, "form": application_form,
}  # fmt: skip


def clean(rng: random.Random, language: str, extra: str = "") -> Content:
    """A page that is nobody's, with one sentence more where that is given."""
    title, sentences = passage(rng, language)
    return Content(title=title, paragraphs=(*sentences, *([extra] if extra else [])))


def clean_table(rng: random.Random, language: str) -> Content:
    """A page that is nobody's, with a table."""
    title, sentences = passage(rng, language)
    head = ("Pieza", "Cantidad", "Medida") if language == "es" else ("Part", "Quantity", "Size")
    rows = (head, *((f"{head[0]} {letter}", str(rng.randint(2, 40)), f"{rng.randint(3, 90)} mm") for letter in "ABCD"))
    return Content(title=title, paragraphs=sentences[:1], rows=rows)
