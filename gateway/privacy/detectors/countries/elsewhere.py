"""Numbers of Africa, Asia and Oceania. A table of data."""

# ruff: noqa: E501 - a row in one piece can be read and searched for

from gateway.privacy.detectors.countries.number import Number

_ID, _TAX, _HEALTH, _ACCOUNT = "id.national", "id.tax", "id.health", "financial.account"

NUMBERS: tuple[Number, ...] = (
    Number(module="au.abn", category=_TAX, shape="D11", words="ABN|australian business|business number"),
    Number(module="au.acn", category=_TAX, shape="D9", words="ACN|company number|australian company", led=True),
    Number(module="au.tfn", category=_TAX, shape="D8-9", words="TFN|tax file number|tax file"),
    Number(module="au.medicare", category=_HEALTH, shape="[2-6] D9 D1?", words="medicare|medicare card|medicare number", title="Medicare card number (Australia), weighted sum", check=lambda match: _medicare([int(c) for c in match["value"] if c.isdigit()])),
    Number(module="az.voen", category=_TAX, shape="D10", words="VÖEN|VOEN|azerbaijani"),
    Number(module="cn.ric", category=_ID, shape="D17 [0-9X]", words="身份证|身份證|resident identity|identity card|chinese id|RIC!", alone=r"[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"),
    Number(module="cn.uscc", category=_TAX, shape="D8 X10", words="信用代码|USCC|social credit|统一社会"),
    Number(module="dz.nif", category=_TAX, shape="D15-20", words="NIF|identification fiscale|numéro fiscal|algerian", led=True),
    Number(module="eg.tn", category=_TAX, shape="D9", words="الضريبي|tax registration|egyptian tax|TRN", led=True),
    Number(module="gh.tin", category=_TAX, shape="[PCGQV] X10", words="TIN|ghana|taxpayer|GRA", led=True),
    Number(module="gn.nifp", category=_TAX, shape="D9", words="NIFp|NIF|guinea|guinean|guinée", led=True),
    Number(module="hk.hkid", category=_ID, shape=r"L1-2 D6 \(?[0-9A]\)?", words="HKID|hong kong identity|hong kong id", title="HKID (Hong Kong identity card)", alone=r"[A-Z]{1,2}[0-9]{6}\([0-9A]\)", check=lambda match: len(set(match["value"])) > 3),
    Number(module="id.nik", category=_ID, shape="D16", words="NIK|KTP|nomor induk|indonesian id|e-KTP", led=True),
    Number(module="id.npwp", category=_TAX, shape="D15-16", words="NPWP|nomor pokok wajib pajak|indonesian tax", alone=r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}\.[0-9]-[0-9]{3}\.[0-9]{3}"),
    Number(module="il.hp", category=_TAX, shape="5 D8", words="ח.פ|ח״פ|company number|israeli company", led=True),
    Number(module="il.idnr", category=_ID, shape="D8-9", words="מספר זהות|ת.ז|תעודת זהות|teudat zehut|mispar zehut|israeli id"),
    Number(module="in_.aadhaar", category=_ID, shape="D12", words="aadhaar|aadhar|adhaar|UIDAI|आधार"),
    Number(module="in_.vid", category=_ID, shape="D16", words="aadhaar|aadhar|VID|virtual id|UIDAI"),
    Number(module="in_.epic", category=_ID, shape="L3 D7", words="voter id|voter card|EPIC!|voter|election card"),
    Number(module="in_.gstin", category=_TAX, shape="D2 L5 D4 L1 X3", words="GSTIN|GST|GST number|gst no", alone=r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z]"),
    Number(module="in_.pan", category=_TAX, shape="L5 D4 L1", words="PAN!|pan card|pan number|pan no|permanent account|my pan", led=True),
    Number(module="jp.cn", category=_TAX, shape="D13", words="法人番号|corporate number|japanese corporate"),
    Number(module="jp.in_", category=_ID, shape="D12", words="マイナンバー|個人番号|my number|individual number|kojin bango|mynumber"),
    Number(module="ke.pin", category=_TAX, shape="[AP] D9 L1", words="KRA|PIN!|KRA PIN|kenya", led=True),
    Number(module="kr.brn", category=_TAX, shape="D10", words="사업자|사업자등록번호|business registration|BRN"),
    Number(module="kr.rrn", category=_ID, shape="D13", words="주민등록|RRN|resident registration|주민번호", alone=r"[0-9]{6}-[0-9]{7}"),
    Number(module="ma.ice", category=_TAX, shape="D15", words="ICE!|identifiant commun|ice number|moroccan", led=True),
    Number(module="ma.cin", category=_ID, shape="L1-2 D5-6", words="CIN!|CNIE|carte nationale|carte d'identité nationale", title="CIN (Carte d'identité nationale, Morocco)", led=True, check=lambda match: len(set(match["value"])) > 3),
    Number(module="mu.nid", category=_ID, shape="L1 D12 X1", words="NIC!|national id|mauritian"),
    Number(module="my.nric", category=_ID, shape="D12", words="NRIC|MyKad|IC number|IC no|kad pengenalan|IC!|no. kp", led=True),
    Number(module="mz.nuit", category=_TAX, shape="D9", words="NUIT"),
    Number(module="nz.bankaccount", category=_ACCOUNT, shape="D2 D4 D7 D2-3", words="account|bank account|bank|payee", alone=r"[0-9]{2}-[0-9]{4}-[0-9]{7}-[0-9]{2,3}", led=True),
    Number(module="nz.ird", category=_TAX, shape="(NZ)? D8-9", words="IRD|inland revenue"),
    Number(module="nz.nhi", category=_HEALTH, shape="L3 D4", words="NHI|national health index", title="NHI number (New Zealand health service)", led=True, check=lambda match: len(set(match["value"])) > 3),
    Number(module="ph.philsys", category=_ID, shape="D12", words="PhilSys|PhilID|PSN!|philippine national", title="PhilSys number (Philippine identity)", led=True, check=lambda match: len(set(match["value"])) > 3),
    Number(module="pk.cnic", category=_ID, shape="D13", words="CNIC|NADRA|NICOP|pakistani|شناختی", alone=r"[0-9]{5}-[0-9]{7}-[0-9]", led=True),
    Number(module="sg.nric", category=_ID, shape="[STFGM] D7 L1", words="NRIC|FIN!|singapore id|singpass", title="NRIC, FIN (Singapore identity card)", led=True, check=lambda match: len(set(match["value"])) > 3),
    Number(module="sg.uen", category=_TAX, shape="X9-10", words="UEN|unique entity"),
    Number(module="sn.ninea", category=_TAX, shape="D7-9 X2? X1?", words="NINEA"),
    Number(module="th.pin", category=_ID, shape="D13", words="ประชาชน|thai id|thai national|thailand|บัตรประชาชน", alone=r"[1-8]-[0-9]{4}-[0-9]{5}-[0-9]{2}-[0-9]"),
    Number(module="th.tin", category=_TAX, shape="D13", words="ผู้เสียภาษี|thai tax|TIN", led=True),
    Number(module="tn.mf", category=_TAX, shape="D3-7 L1 (/?[APBFDNCM]/?[MPCNE]/?[0-9]{3})?", words="matricule fiscal|matricule fiscale|MF!|tunisian", led=True),
    Number(module="tw.ubn", category=_TAX, shape="D8", words="統一編號|統編|UBN|GUI number|taiwan business"),
    Number(module="tw.id", category=_ID, shape="[A-Z] [1289] D8", words="身分證|身份證|taiwan id|national id", title="National identity card (Taiwan)", led=True, check=lambda match: len(set(match["value"])) > 3),
    Number(module="vn.mst", category=_TAX, shape="D10 (-?[0-9]{3})?", words="MST!|mã số thuế|ma so thue|vietnamese tax", led=True),
    Number(module="vn.cccd", category=_ID, shape="D12", words="CCCD|CMND|căn cước|can cuoc", title="CCCD (Căn cước công dân, Vietnamese identity card)", led=True, check=lambda match: len(set(match["value"])) > 3),
    Number(module="za.idnr", category=_ID, shape="D13", words="ID number|SA ID|south african|RSA ID|identity number|ID no|identiteitsnommer"),
    Number(module="za.tin", category=_TAX, shape="D10", words="SARS|tax reference|tax number|south african tax"),
)  # fmt: skip


def _medicare(number: list[int]) -> bool:
    return sum(d * w for d, w in zip(number, (1, 3, 7, 9, 1, 3, 7, 9), strict=False)) % 10 == number[8]
