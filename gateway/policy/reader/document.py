"""The reader of whole files, from YAML to one `Document`.

Of several files the earlier one has precedence: its rules stand first, its `otherwise` and `labels` win. An including
file stands before what it includes.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from gateway.core.labels import Label
from gateway.core.target import Catalog
from gateway.core.yaml_source import Path, Source
from gateway.policy.language.ast import Claim, Document, Expectation, Labels, Otherwise, Rule, UnknownTags
from gateway.policy.language.conditions import ALWAYS, Atom, Condition, FactRef, Words
from gateway.policy.language.facts import FACTS
from gateway.policy.reader.claims import read_claims
from gateway.policy.reader.conditions import read_condition
from gateway.policy.reader.context import ZONE_WORDS, KnownNames, Let, Reading
from gateway.policy.reader.expectations import read_expectations
from gateway.policy.reader.rules import read_otherwise, read_rules
from gateway.privacy.categories import DEFAULT_LABELS

KEYS = ("version", "description", "include", "rates", "labels", "tags", "let", "keys", "aliases", "rules", "otherwise",
        "unknown_tags", "claims", "expect")  # fmt: skip
ACCEPTED_DOUBTS = ("image", "audio", "file", "remote_url", "unreadable_blob")


def read_documents(
    sources: Sequence[Source], roots: Sequence[Source], catalog: Catalog, rates: Mapping[str, float]
) -> tuple[Document, tuple[str, ...]]:
    """Return the document that the files make together, and all problems.

    `roots` are the files whose `expect` tables count.
    """
    problems: list[str] = []
    exchange = dict(rates)
    lets: dict[str, Let] = {}
    names = KnownNames(catalog, lets, _declared_tags(sources, catalog), exchange)
    readings = [Reading(source, names, problems) for source in sources]
    files = [(reading, reading.mapping((), reading.source.value, KEYS, "a policy")) for reading in readings]
    for reading, fields in files:
        _version(reading, fields)
        exchange.update(_rates(reading, fields))
        _lets(reading, fields, lets)
    for name, let in lets.items():
        if not isinstance(let.value, list):
            read_condition(Reading(let.source, names, problems), let.path, name)
    overlays = [overlay for reading, fields in files for overlay in _overlays(reading, fields)]
    rules: list[Rule] = []
    rules.extend(rule for overlay in overlays for rule in overlay.rules())
    for reading, fields in files:
        if "rules" in fields:
            rules.extend(read_rules(reading, ("rules",), fields["rules"]))
    otherwise = [found for overlay in overlays for found in overlay.otherwise()]
    general = [read_otherwise(reading, ("otherwise",), fields["otherwise"])
               for reading, fields in files if "otherwise" in fields]  # fmt: skip
    if not general and files:
        reading = files[0][0]
        reading.problem((), "the policy has no 'otherwise'. Add, for example, 'otherwise: {prefer: [local]}'.")
        general = [Otherwise(when=ALWAYS, prefer=(), place=reading.source.where(()))]
    document = Document(
        labels=_labels(files, overlays, names),
        rules=tuple(rules),
        otherwise=(*otherwise, *general[:1]),
        tags=names.tags,
        claims=_all_claims(files),
        expectations=_all_expectations(files, roots),
        rates=MappingProxyType(exchange),
        description=str(files[0][1].get("description", "")) if files else "",
    )
    return document, tuple(dict.fromkeys(problems))


Files = Sequence[tuple[Reading, dict[str, object]]]


def _version(reading: Reading, fields: Mapping[str, object]) -> None:
    if "version" not in fields:
        reading.problem((), "the policy has no 'version'. Begin it with 'version: 1'.")
    elif fields["version"] != 1 or isinstance(fields["version"], bool):
        reading.problem(("version",), f"version {fields['version']!r} of the language is not known here. Write 1.")


def _rates(reading: Reading, fields: Mapping[str, object]) -> dict[str, float]:
    found: dict[str, float] = {}
    given = reading.mapping(("rates",), fields.get("rates", {}), None, "'rates'")
    for currency, value in given.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            reading.problem(
                ("rates", currency), "a rate is the US dollars that one unit of the currency is, as in 1.10."
            )
        elif currency == "USD" and value != 1:
            reading.problem(("rates", currency), "one US dollar is one US dollar.")
        else:
            found[currency] = float(value)
    return found


def _lets(reading: Reading, fields: Mapping[str, object], lets: dict[str, Let]) -> None:
    names = reading.names
    for name, value in reading.mapping(("let",), fields.get("let", {}), None, "'let'").items():
        path = ("let", name)
        taken = next((what for what, known in (
            ("a fact", FACTS), ("a target", names.catalog.targets), ("a zone word", ZONE_WORDS),
            ("a word of the language", ("all", "any", "not")), ("a tag", names.tags), ("a label", ("public", "internal",
            "sensitive")), ("a key", names.catalog.keys), ("a model name", names.catalog.aliases),
        ) if name in known), None)  # fmt: skip
        if taken is not None:
            reading.problem(path, f"the name {name!r} would hide {taken} of that name. Choose another.")
        elif name in lets:
            first = lets[name].source.where(lets[name].path)
            reading.problem(path, f"the name {name!r} exists already ({first}). Choose another.")
        else:
            lets[name] = Let(source=reading.source, path=path, value=value)


def _declared_tags(sources: Sequence[Source], catalog: Catalog) -> frozenset[str]:
    found = set(catalog.key_tags)
    for alias in catalog.aliases.values():
        found |= alias.tags
    for source in sources:
        fields = source.value if isinstance(source.value, dict) else {}
        labels = fields.get("labels")
        tags = labels.get("tags") if isinstance(labels, dict) else None
        found.update(tags if isinstance(tags, dict) else ())
        found.update(_words(fields.get("tags")))
        for rule in _raw_rules(fields):
            found.update(_words(rule.get("tag")))
    return frozenset(found)


def _raw_rules(fields: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    holders: list[object] = [fields]
    for section in (fields.get("keys"), fields.get("aliases")):
        holders.extend(section.values() if isinstance(section, dict) else ())
    for holder in holders:
        rules = holder.get("rules") if isinstance(holder, dict) else None
        yield from (rule for rule in (rules if isinstance(rules, list) else ()) if isinstance(rule, dict))


def _words(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


class _Overlay:
    """The part of a file that is for one key or one alias."""

    def __init__(self, reading: Reading, section: str, name: str, value: object) -> None:
        self.reading, self.section, self.name = reading, section, name
        self.path: Path = (section, name)
        self.fields = reading.mapping(self.path, value, ("default", "rules", "otherwise", "note"), f"{section}.{name}")
        fact = FactRef(name="key" if section == "keys" else "alias")
        self.scope: Condition = Atom(fact=fact, test=Words(values=frozenset({name})))

    def rules(self) -> list[Rule]:
        if "rules" not in self.fields:
            return []
        return read_rules(self.reading, (*self.path, "rules"), self.fields["rules"], self.scope)

    def otherwise(self) -> list[Otherwise]:
        if "otherwise" not in self.fields:
            return []
        return [read_otherwise(self.reading, (*self.path, "otherwise"), self.fields["otherwise"], self.scope)]

    def default(self) -> Label | None:
        if "default" not in self.fields:
            return None
        return self.reading.label((*self.path, "default"), self.fields["default"])


def _overlays(reading: Reading, fields: Mapping[str, object]) -> list[_Overlay]:
    """Return the overlays, keys first: a key's rules stand before an alias's, and both before the general ones."""
    found: list[_Overlay] = []
    names = reading.names
    for section, what, known in (
        ("keys", "the key", names.keys),
        ("aliases", "the model", frozenset(names.catalog.aliases)),
    ):
        for name, value in reading.mapping((section,), fields.get(section, {}), None, f"{section!r}").items():
            if name not in known:
                reading.unknown((section, name), what, name, known)
            found.append(_Overlay(reading, section, name, value))
    return found


def _labels(files: Files, overlays: Sequence[_Overlay], names: KnownNames) -> Labels:
    default: Label | None = None
    other: Label | None = None
    tables: dict[str, dict[str, Label]] = {"tags": {}, "findings": {}, "doubts": {}}
    for reading, fields in files:
        given = reading.mapping(("labels",), fields.get("labels", {}), ("default", *tables), "'labels'")
        if "default" in given and default is None:
            default = reading.label(("labels", "default"), given["default"])
        for section, table in tables.items():
            here: Path = ("labels", section)
            for name, word in reading.mapping(here, given.get(section, {}), None, f"labels.{section}").items():
                label = reading.label((*here, name), word)
                if section == "findings" and name != "other":
                    reading.category((*here, name), name)
                if section == "doubts" and name not in ACCEPTED_DOUBTS:
                    reading.unknown((*here, name), "the kind of part", name, ACCEPTED_DOUBTS)
                if label is not None:
                    table.setdefault(name, label)
    other = tables["findings"].pop("other", None)
    by_key, by_alias = ({overlay.name: label for overlay in overlays if overlay.section == section
                         and (label := overlay.default()) is not None} for section in ("keys", "aliases"))  # fmt: skip
    return Labels(
        default=Label.INTERNAL if default is None else default,
        tags=MappingProxyType(tables["tags"]),
        findings=MappingProxyType(DEFAULT_LABELS | tables["findings"]),
        other_findings=Label.SENSITIVE if other is None else other,
        doubts=MappingProxyType(tables["doubts"]),
        by_key=MappingProxyType(by_key),
        by_alias=MappingProxyType(by_alias),
        known_tags=names.tags,
        unknown_tags=_unknown_tags(files),
        tagged_keys=frozenset(key for key, own in names.catalog.tags_of_keys.items() if own & tables["tags"].keys()),
        tagged_aliases=frozenset(
            alias.name for alias in names.catalog.aliases.values() if alias.tags & tables["tags"].keys()
        ),
    )


def _unknown_tags(files: Files) -> UnknownTags:
    found: UnknownTags | None = None
    for reading, fields in files:
        if "unknown_tags" not in fields:
            continue
        word = fields["unknown_tags"]
        if word not in list(UnknownTags):
            reading.unknown(("unknown_tags",), "what to do with unknown tags,", str(word), list(UnknownTags))
        elif found is None:
            found = UnknownTags(str(word))
    return found or UnknownTags.SENSITIVE


def _all_claims(files: Files) -> tuple[Claim, ...]:
    return tuple(claim for reading, fields in files if "claims" in fields
                 for claim in read_claims(reading, ("claims",), fields["claims"]))  # fmt: skip


def _all_expectations(files: Files, roots: Sequence[Source]) -> tuple[Expectation, ...]:
    return tuple(row for reading, fields in files if "expect" in fields and reading.source in roots
                 for row in read_expectations(reading, ("expect",), fields["expect"]))  # fmt: skip
