"""The network in PyTorch: the trunk's lower layers and a head that looks at windows. Only training needs it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gateway.privacy.sensitivity.kinds import CLEAN, SENSITIVE
from gateway.privacy.sensitivity.train.trunk import Trunk

LAYERS = 6
HEADS = 12  # of the attention in the trunk
LOOKS = 4  # of the attention in the head
_HIDDEN, _HEAD = 384, 192
_POSITIONS = 160
_EPSILON = 1e-12


def _linear(trunk: Trunk, names: tuple[str, ...], inputs: int) -> nn.Linear:
    weight = np.concatenate([trunk.matrix(f"{name}.w", inputs) for name in names])
    made = nn.Linear(inputs, len(weight))
    made.weight.data = torch.tensor(weight)
    made.bias.data = torch.tensor(np.concatenate([trunk.vector(f"{name}.b") for name in names]))
    return made


def _norm(trunk: Trunk, name: str) -> nn.LayerNorm:
    made = nn.LayerNorm(_HIDDEN, eps=_EPSILON)
    made.weight.data = torch.tensor(trunk.vector(f"{name}.w"))
    made.bias.data = torch.tensor(trunk.vector(f"{name}.b"))
    return made


class Layer(nn.Module):
    """One layer of the trunk: BERT's, normalised after each half."""

    def __init__(self, trunk: Trunk, number: int, dropout: float) -> None:
        super().__init__()
        name = f"l{number}."
        self.qkv = _linear(trunk, (f"{name}q", f"{name}k", f"{name}v"), _HIDDEN)
        self.o = _linear(trunk, (f"{name}ao",), _HIDDEN)
        self.f1 = _linear(trunk, (f"{name}fi",), _HIDDEN)
        self.f2 = _linear(trunk, (f"{name}fo",), 4 * _HIDDEN)
        self.n1, self.n2 = _norm(trunk, f"{name}aln"), _norm(trunk, f"{name}oln")
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (b, l, hidden). `mask` is (b, l), true where there is a token."""
        rows, length, hidden = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, HEADS, hidden // HEADS).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        x = self.n1(x + self.dropout(self.o(seen.transpose(1, 2).reshape(rows, length, hidden))))
        out: Tensor = self.n2(x + self.dropout(self.f2(functional.gelu(self.f1(x)))))
        return out


class Network(nn.Module):
    """Encoder of passages, and the head that gives each window its logits."""

    def __init__(self, trunk: Trunk, dropout: float = 0.1) -> None:
        super().__init__()
        places = trunk.vector("emb.pos").reshape(-1, _HIDDEN)[:_POSITIONS] + trunk.vector("emb.type")[:_HIDDEN]
        self.pos = nn.Parameter(torch.tensor(places), requires_grad=False)
        self.ln = _norm(trunk, "emb.ln")
        self.layers = nn.ModuleList(Layer(trunk, number, dropout) for number in range(LAYERS))
        self.q, self.v = nn.Linear(_HIDDEN, LOOKS), nn.Linear(_HIDDEN, _HIDDEN)
        self.h, self.out = nn.Linear(2 * _HIDDEN, _HEAD), nn.Linear(_HEAD, len(SENSITIVE) + len(CLEAN))
        self.q.weight.data *= 0.1
        self.dropout = nn.Dropout(2 * dropout)

    def forward(self, vectors: Tensor, mask: Tensor, windows: Tensor) -> Tensor:
        """Return the logits (b, w, kinds) of windows (b, w, l) in passages (b, l, hidden)."""
        x = self.ln(vectors + self.pos[: vectors.shape[1]])
        for layer in self.layers:
            x = layer(x, mask)
        x = x.float()
        weights = torch.exp(self.q(x).clamp(-8, 8))
        values = functional.gelu(self.v(x)).unflatten(-1, (LOOKS, -1))
        looked = torch.einsum("bwl,blk,blkd->bwkd", windows, weights, values)
        looked = looked / (torch.einsum("bwl,blk->bwk", windows, weights)[..., None] + 1e-6)
        mean = windows @ x / (windows.sum(-1, keepdim=True) + 1e-6)
        head = self.dropout(torch.cat([looked.flatten(2), mean], -1))
        out: Tensor = self.out(self.dropout(functional.gelu(self.h(head))))
        return out


def outweighs(logits: Tensor) -> Tensor:
    """Return by how much (in logits) the sensitive kinds outweigh the clean ones."""
    some = len(SENSITIVE)
    return torch.logsumexp(logits[..., :some], -1) - torch.logsumexp(logits[..., some:], -1)


def arrays(network: Network) -> dict[str, Any]:
    """Return the parameters by name, as float32 arrays."""
    return {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
