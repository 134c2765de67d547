"""Requests that a tag keeps at home, with the mistakes that people make in tags and in headers."""

from collections.abc import Iterator, Mapping

Headers = tuple[tuple[str, str], ...]
PRIVATE: Headers = (("x-aduana-tags", "private"),)
TYPED: Mapping[str, Headers] = {
    "as it should be": PRIVATE,
    "in capitals": (("X-Aduana-Tags", "PRIVATE"),),
    "among others": (("x-aduana-tags", "work, private"),),
    "beside one that lowers": (("x-aduana-tags", "public, private"),),
    "commas around": (("x-aduana-tags", ",private,"),),
    "a letter left out": (("x-aduana-tags", "privat"),),
    "a letter doubled": (("x-aduana-tags", "privvate"),),
    "two letters in the wrong order": (("x-aduana-tags", "pirvate"),),
    "in another language": (("x-aduana-tags", "privado"),),
    "a mistake beside one that lowers": (("x-aduana-tags", "public, privat"),),
    "a semicolon": (("x-aduana-tags", "private;work"),),
    "a blank between": (("x-aduana-tags", "work private"),),
    "in quotes": (("x-aduana-tags", '"private"'),),
    "as a JSON list": (("x-aduana-tags", '["private"]'),),
    "with a value": (("x-aduana-tags", "private=true"),),
    "header in the singular": (("x-aduana-tag", "private"),),
    "header named after the label": (("x-aduana-label", "sensitive"),),
    "header with a letter left out": (("x-aduana-tgs", "private"),),
    "header with an underscore": (("x-aduana_tags", "private"),),
    "header with underscores": (("x_aduana_tags", "private"),),
    "header without its x": (("aduana-tags", "private"),),
    "header with the name mistyped": (("x-adauna-tags", "private"),),
    "header twice": (("x-aduana-tags", "public"), ("x-aduana-tags", "private")),
    "two headers": (("x-aduana-tags", "public"), ("x-aduana-tag", "private")),
}


def lowered(owner: str, strict: str) -> Iterator[tuple[str, str, Headers]]:
    """Yield requests that the owner's configuration keeps at home and the caller marks as public.

    Args:
        owner: Secret of the key that has the tag `private`.
        strict: Secret of the key for which the policy says `default: sensitive`.

    Yields:
        Name, model and headers.
    """
    public = ("x-aduana-tags", "public")
    for name, headers in {"": (), ", marked public": (public,)}.items():
        yield f"key with a tag{name}", "auto", (("Authorization", f"Bearer {owner}"), *headers)
        yield f"key that is sensitive by default{name}", "auto", (("Authorization", f"Bearer {strict}"), *headers)
        yield f"model name with a tag{name}", "diary", headers
        yield f"model name that is sensitive by default{name}", "letters", headers
