"""Numbers of the Americas. A table of data."""

# ruff: noqa: E501 - a row in one piece can be read and searched for

from re import Match

from gateway.privacy.detectors.countries.number import Number
from gateway.privacy.detectors.detector import compact, digits

_ID, _TAX, _HEALTH, _ACCOUNT = "id.national", "id.tax", "id.health", "financial.account"
_CEDULA = "cédula|cedula|cédula de identidad|documento de identidad|nº de documento|número de documento|C.I."


def _weighted(number: str, weights: str, modulus: int) -> int:
    return sum(int(digit) * int(weight) for digit, weight in zip(number, weights, strict=False)) % modulus


def _clabe(match: Match[str]) -> bool:
    """Tell whether the control digit of a CLABE is right (Asociación de Bancos de México)."""
    number = digits(match["value"])
    products = (int(digit) * int(weight) % 10 for digit, weight in zip(number, "37137137137137137", strict=False))
    return (10 - sum(products) % 10) % 10 == int(number[17]) and len(set(number)) > 3


def _imss(match: Match[str]) -> bool:
    number = digits(match["value"])
    return len(set(number)) > 2 and (sum(map(int, number[-1::-2])) + sum(map("0516273849".index, number[-2::-2]))) % 10 == 0  # fmt: skip


def _pis(match: Match[str]) -> bool:
    number = digits(match["value"])
    control = 11 - _weighted(number, "3298765432", 11)
    return (control if control < 10 else 0) == int(number[10]) and len(set(number)) > 2


def _cns(match: Match[str]) -> bool:
    number = digits(match["value"])
    return number[0] in "12789" and sum(int(d) * w for d, w in zip(number, range(15, 0, -1), strict=True)) % 11 == 0


def _cedula_uy(match: Match[str]) -> bool:
    number = digits(match["value"]).rjust(8, "0")
    return (10 - _weighted(number, "2987634", 10)) % 10 == int(number[7])


def _dui(match: Match[str]) -> bool:
    number = digits(match["value"])
    return (10 - _weighted(number, "98765432", 10)) % 10 == int(number[8])


def _cui_gt(match: Match[str]) -> bool:
    number = digits(match["value"])
    return _weighted(number, "23456789", 11) == int(number[8]) and 1 <= int(number[9:11]) <= 22


def _long(match: Match[str]) -> bool:
    """Tell whether it is a number of its own, no year and no amount."""
    return len(set(compact(match))) > 2


NUMBERS: tuple[Number, ...] = (
    Number(module="ar.cuit", category=_TAX, shape="D11", words="CUIT|CUIL|clave única de identificación", alone=r"(?:2[0347]|3[034])-[0-9]{8}-[0-9]"),
    Number(module="ar.dni", category=_ID, shape="[A-Z]? D7-8", words="DNI|mi documento|documento de identidad|documento nacional|número de documento|nro de documento|documento nº", led=True),
    Number(module="ar.cbu", category=_ACCOUNT, shape="D22", words="CBU|CVU|clave bancaria|cuenta", alone=r"[0-9]{8}[ -][0-9]{14}", led=True),
    Number(module="bo.ci", category=_ID, shape="D6-8 (LP|CB|SC|OR|PT|CH|TJ|BE|PD)?", words="carnet de identidad|cédula de identidad|C.I.", led=True, title="CI (Cédula de Identidad, Bolivian identity card)", check=_long),
    Number(module="br.cpf", category=_ID, shape="D11", words="CPF|cadastro de pessoas físicas|cadastro de pessoa física", alone=r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-/][0-9]{2}"),
    Number(module="br.cnpj", category=_TAX, shape="X12 D2", words="CNPJ|cadastro nacional da pessoa jurídica", alone=r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}"),
    Number(module="br.rg", category=_ID, shape="D7-9 [0-9X]?", words="RG!|registro geral|carteira de identidade|meu rg|rg nº", led=True, title="RG (Registro Geral, Brazilian identity card)", check=_long),
    Number(module="br.pis", category=_HEALTH, shape="D11", words="PIS|PASEP|NIS!|NIT!|INSS|PIS/PASEP", title="PIS, PASEP, NIS (Brazilian social security number), modulo 11", check=_pis, led=True),
    Number(module="br.cns", category=_HEALTH, shape="D15", words="CNS!|cartão nacional de saúde|cartão SUS|cartão do SUS|SUS!", title="CNS (Cartão Nacional de Saúde, Brazilian health card), modulo 11", check=_cns),
    Number(module="br.titulo", category=_ID, shape="D12", words="título de eleitor|título eleitoral", led=True, title="Título de eleitor (Brazilian voter's card)", check=_long),
    Number(module="ca.sin", category=_ID, shape="D9", words="SIN!|social insurance|sin number|my sin|sin no|numéro d'assurance sociale|NAS!"),
    Number(module="ca.bn", category=_TAX, shape="D9 ((RC|RM|RP|RT)[0-9]{4})?", words="business number|BN!|CRA|numéro d'entreprise|GST|HST|GST/HST", led=True),
    Number(module="ca.bc_phn", category=_HEALTH, shape="D10", words="PHN|personal health number|services card|carecard|care card|health card"),
    Number(module="ca.ohip", category=_HEALTH, shape="D10 L2?", words="OHIP|health card|carte santé|health number", led=True, title="OHIP health card number (Ontario)", check=_long),
    Number(module="ca.ramq", category=_HEALTH, shape="L4 D8", words="RAMQ|carte soleil|assurance maladie|carte d'assurance maladie|health insurance number|medicare", led=True, title="NAM (Numéro d'assurance maladie, RAMQ, Quebec)", check=_long),
    Number(module="cl.rut", category=_ID, shape="(CL)? D7-8 [0-9K]", words="RUT|RUN!|rol único|rol unico|rut|chilean run|cédula de identidad", alone=r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9K]"),
    Number(module="co.nit", category=_TAX, shape="D8-10", words="NIT|número de identificación tributaria|RUT", alone=r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]"),
    Number(module="co.cedula", category=_ID, shape="D6-10", words="cédula|cédula de ciudadanía|C.C.|CC!|tarjeta de identidad|T.I.|NUIP", led=True, title="Cédula de ciudadanía (Colombian identity card)", check=_long),
    Number(module="cr.cpf", category=_ID, shape="D9-10", words=f"{_CEDULA}|cédula física|costa rican", led=True),
    Number(module="cr.cpj", category=_TAX, shape="D10", words="cédula jurídica|persona jurídica|costa rican tax", led=True),
    Number(module="cr.cr", category=_ID, shape="D11-12", words="DIMEX|cédula de residencia|DIDI", led=True),
    Number(module="cu.ni", category=_ID, shape="D11", words="carné de identidad|carnet de identidad|número de identidad|cuban identity|C.I.", led=True),
    Number(module="do.cedula", category=_ID, shape="D11", words=f"{_CEDULA}|cédula de identidad y electoral|dominican", alone=r"[0-9]{3}-[0-9]{7}-[0-9]"),
    Number(module="do.rnc", category=_TAX, shape="D9", words="RNC|registro nacional del contribuyente|registro nacional de contribuyentes"),
    Number(module="ec.ci", category=_ID, shape="D10", words=f"{_CEDULA}|C.I.|ecuadorian"),
    Number(module="ec.ruc", category=_TAX, shape="D13", words="RUC|registro único de contribuyentes"),
    Number(module="gt.nit", category=_TAX, shape="D4-9 [0-9K]", words="NIT|número de identificación tributaria|guatemalan"),
    Number(module="gt.cui", category=_ID, shape="D13", words="DPI|CUI|documento personal de identificación|código único de identificación", title="CUI (Código Único de Identificación, Guatemalan identity number), modulo 11", check=_cui_gt),
    Number(module="hn.dni", category=_ID, shape="D13", words="DNI|identidad|RTN!|tarjeta de identidad", led=True, title="DNI (Honduran identity number)", check=_long),
    Number(module="mx.curp", category=_ID, shape="L4 D6 L6 X2", words="CURP|clave única de registro", alone=r"[A-Z]{4}[0-9]{6}[A-Z]{6}[0-9A-Z][0-9]"),
    Number(module="mx.rfc", category=_TAX, shape="L3-4 D6 X3", words="RFC|registro federal de contribuyentes", alone=r"[A-Z&]{4}-?[0-9]{6}-?[0-9A-Z]{2}[0-9A]"),
    Number(module="mx.nss", category=_HEALTH, shape="D11", words="NSS|IMSS|número de seguridad social|número de seguro social|seguro social|seguridad social|número de afiliación", title="NSS (Número de Seguridad Social, Mexican social security), Luhn", check=_imss),
    Number(module="mx.clabe", category=_ACCOUNT, shape="D18", words="CLABE|clabe interbancaria|clave bancaria|cuenta|transferencia|depósito|depositar|SPEI", title="CLABE (Clave Bancaria Estandarizada, Mexican account), control digit", check=_clabe, led=True),
    Number(module="mx.elector", category=_ID, shape="L6 D8 [HM] D3", words="clave de elector|INE|IFE|credencial para votar", alone=r"[A-Z]{6}[0-9]{8}[HM][0-9]{3}", title="Clave de elector (Mexican voter's card)", check=_long),
    Number(module="ni.cedula", category=_ID, shape="D13 L1", words=_CEDULA, alone=r"[0-9]{3}-[0-9]{6}-[0-9]{4}[A-Z]", title="Cédula de identidad (Nicaraguan identity card)", check=_long),
    Number(module="pa.cedula", category=_ID, shape="([0-9]{1,2}|PE|E|N)-[0-9]{1,4}-[0-9]{1,6}", words=_CEDULA, led=True, title="Cédula (Panamanian identity card)", check=_long),
    Number(module="pe.cui", category=_ID, shape="D8 [0-9A-K]?", words="DNI|CUI|documento nacional|documento de identidad|peruvian", led=True),
    Number(module="pe.ruc", category=_TAX, shape="D11", words="RUC|registro único de contribuyentes"),
    Number(module="py.ruc", category=_TAX, shape="D5-9", words="RUC|registro único de contribuyentes", led=True),
    Number(module="py.ci", category=_ID, shape="D6-7", words="cédula de identidad|C.I.|cédula", led=True, title="Cédula de identidad (Paraguayan identity card)", check=_long),
    Number(module="sv.nit", category=_TAX, shape="(SV)? D14", words="NIT|número de identificación tributaria|salvadoran", alone=r"[0-9]{4}-[0-9]{6}-[0-9]{3}-[0-9]"),
    Number(module="sv.dui", category=_ID, shape="D9", words="DUI|documento único de identidad", title="DUI (Documento Único de Identidad, Salvadoran identity card), modulo 10", check=_dui),
    Number(module="us.atin", category=_TAX, shape="D9", words="ATIN|adoption taxpayer", led=True),
    Number(module="us.ptin", category=_TAX, shape="P D8", words="PTIN|preparer", led=True),
    Number(module="us.ein", category=_TAX, shape="D9", words="EIN!|FEIN|employer identification|employer id|tax id|my ein|ein number", led=True),
    Number(module="us.rtn", category=_ACCOUNT, shape="D9", words="routing|ABA!|RTN|routing number|aba number", led=True),
    Number(module="us.mbi", category=_HEALTH, shape="[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9] [AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9] [AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y][0-9][0-9]", words="medicare|MBI|beneficiary", alone=r"[0-9A-Z]{4}-[0-9A-Z]{3}-[0-9A-Z]{4}", title="MBI (Medicare Beneficiary Identifier, CMS)", check=_long),
    Number(module="uy.rut", category=_TAX, shape="(UY)? D12", words="RUT|registro único tributario"),
    Number(module="uy.ci", category=_ID, shape="D7-8", words=f"{_CEDULA}|C.I.", title="Cédula de identidad (Uruguayan identity card), modulo 10", alone=r"[1-6]\.[0-9]{3}\.[0-9]{3}-[0-9]", check=_cedula_uy),
    Number(module="ve.rif", category=_TAX, shape="[VEJPGC] D8-9", words="RIF|registro de información fiscal|registro único de información", alone=r"[VEJPG]-[0-9]{8}-[0-9]"),
    Number(module="ve.cedula", category=_ID, shape="[VE]? D6-8", words="cédula|C.I.", led=True, title="Cédula de identidad (Venezuelan identity card)", check=_long),
)  # fmt: skip
