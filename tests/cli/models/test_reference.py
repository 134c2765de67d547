"""Names of models are read as people write them, and the memory chooses the quantisation."""

import pytest

from gateway.cli.models.reference import Reference, RemoteFile, choices, choose, label, parse
from gateway.core.errors import BadRequest

GB = 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/Repo-GGUF", Reference(repository="org/Repo-GGUF")),
        ("org/Repo-GGUF:Q4_K_M", Reference(repository="org/Repo-GGUF", quantisation="Q4_K_M")),
        ("hf://org/Repo-GGUF:UD-Q4_K_XL", Reference(repository="org/Repo-GGUF", quantisation="UD-Q4_K_XL")),
        ("hf.co/org/Repo-GGUF:Q8_0", Reference(repository="org/Repo-GGUF", quantisation="Q8_0")),
        ("hf://org/Repo@v1.5:Q8_0", Reference(repository="org/Repo", revision="v1.5", quantisation="Q8_0")),
        ("org/Repo/sub/m-Q4_0.gguf", Reference(repository="org/Repo", path="sub/m-Q4_0.gguf")),
        ("org/Repo:m-Q4_0.gguf", Reference(repository="org/Repo", path="m-Q4_0.gguf")),
        ("https://huggingface.co/org/Repo", Reference(repository="org/Repo")),
        ("https://huggingface.co/org/Repo/tree/main", Reference(repository="org/Repo")),
        (
            "https://huggingface.co/org/Repo/blob/main/m-Q4_0.gguf?download=true",
            Reference(repository="org/Repo", path="m-Q4_0.gguf"),
        ),
    ],
)
def test_every_way_to_write_a_model(text: str, expected: Reference) -> None:
    """A name, a page's address and what other programs take mean the same."""
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["", "qwen", "a/b/c", "../../etc/passwd", "org/repo:../x", "-x/y"])
def test_what_names_no_model(text: str) -> None:
    """Anything else is refused with the ways to write one."""
    with pytest.raises(BadRequest, match="ORG/REPOSITORY"):
        parse(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Qwen3.6-27B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3.6-27B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("m.i1-IQ4_XS.gguf", "IQ4_XS"),
        ("Q8_0/m-00001-of-00002.gguf", "Q8_0"),
        ("gpt-oss-120b-mxfp4-00001-of-00003.gguf", "MXFP4"),
        ("m-q6_k.gguf", "Q6_K"),
        ("m.BF16.gguf", "BF16"),
        ("plain.gguf", ""),
    ],
)
def test_the_label_is_read_from_the_name(path: str, expected: str) -> None:
    """The quantisation is what the file's name says, else its folder's."""
    assert label(path) == expected


REPOSITORY = [
    RemoteFile(path="m-BF16-00001-of-00002.gguf", size=40 * GB),
    RemoteFile(path="m-BF16-00002-of-00002.gguf", size=14 * GB),
    RemoteFile(path="m-Q8_0.gguf", size=29 * GB),
    RemoteFile(path="m-Q6_K.gguf", size=22 * GB),
    RemoteFile(path="m-Q4_K_M.gguf", size=17 * GB),
    RemoteFile(path="m-IQ3_XXS.gguf", size=11 * GB),
    RemoteFile(path="m-Q2_K-00001-of-00002.gguf", size=4 * GB),
    RemoteFile(path="mmproj-F16.gguf", size=1 * GB),
    RemoteFile(path="m-imatrix.gguf", size=1 * GB),
]


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(96, "Q6_K"), (32, "Q6_K"), (24, "Q4_K_M"), (16, "IQ3_XXS"), (12.5, "IQ3_XXS"), (None, "Q4_K_M")],
)
def test_the_memory_chooses(memory: float | None, expected: str) -> None:
    """The best up to Q6_K that leaves a quarter to the KV cache; where that is nothing, one that leaves a tenth."""
    chosen = choose(REPOSITORY, Reference(repository="o/m"), None if memory is None else int(memory * GB))
    assert chosen.quantisation == expected
    assert chosen.projector is not None


def test_where_nothing_fits_all_are_listed() -> None:
    """Nobody gets 11 GB for a card of 8 without asking for it."""
    with pytest.raises(BadRequest, match=r"nothing fits in 8\.0 GB(?s:.*)11\.00 GB  m-IQ3_XXS"):
        choose(REPOSITORY, Reference(repository="o/m"), 8 * GB)


def test_a_split_model_is_one() -> None:
    """Parts count together; one whose parts are not all there is left out."""
    found = {choice.quantisation: choice for choice in choices(REPOSITORY)}
    assert found["BF16"].size == 54 * GB
    assert found["BF16"].name == "m-BF16"
    assert "Q2_K" not in found
    assert "" not in found
