"""How the network is trained: every text is as sensitive as its worst window."""

import math
import random
import time
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gateway.privacy.sensitivity.embeddings import Embeddings
from gateway.privacy.sensitivity.kinds import CLEAN, SENSITIVE
from gateway.privacy.sensitivity.passages import Encode, Passage, passages
from gateway.privacy.sensitivity.train.claims import CLAIMS
from gateway.privacy.sensitivity.train.network import Network, outweighs
from gateway.privacy.sensitivity.train.texts import Text

_KIND = {kind: number for number, kind in enumerate((*SENSITIVE, *CLEAN))}
_TOKENS = 2_400  # in one run, padding included
_NOTHING = -30.0  # of a window that is none
_LONGEST = 2_500  # characters of a text in training
_ONLY_TOLD = 0.25  # share of long texts of which only the sentence is read that tells
_CLAIMED = 0.1  # share of texts beside which a sentence says what they are, rightly or not


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how fast, and by which dice."""

    epochs: int = 4
    batch: int = 32
    rate: float = 8e-5  # of the trunk; ten times as much for the head
    frozen: int = 2  # layers of the trunk that stay as they are
    mixed: float = 0.35  # share of texts that get clean neighbours
    seed: int = 2026


def train(
    network: Network,
    texts: Sequence[Text],
    encode: Encode,
    embeddings: Embeddings,
    plan: Plan,
    told: Callable[[str], None] = print,
) -> None:
    """Train a network on texts."""
    torch.manual_seed(plan.seed)
    dice = random.Random(plan.seed)
    trunk, head = _parameters(network, plan.frozen)
    optimizer = torch.optim.AdamW(
        [{"params": trunk, "lr": plan.rate}, {"params": head, "lr": 10 * plan.rate}], weight_decay=0.01
    )
    batches = math.ceil(len(texts) / plan.batch)
    steps = plan.epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (0.06 * steps)) * max(0.02, 1 - step / steps)
    )
    clean = [text.text for text in texts if not text.sensitive]
    began = time.monotonic()
    for epoch in range(plan.epochs):
        network.train()
        order = dice.sample(list(texts), len(texts))
        whole = 0.0
        for step in range(batches):
            some = order[step * plan.batch : (step + 1) * plan.batch]
            mixtures = [_mixed(text, clean, dice, plan.mixed) for text in some]
            read = [list(passages(text, encode, most=dice.choice((48, 96, 126, 126)))) for text in mixtures]
            loss = _loss(network, some, read, embeddings)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_([*trunk, *head], 1.0)
            optimizer.step()
            schedule.step()
            whole += loss.item()
            if (step + 1) % 25 == 0:
                told(f"epoch {epoch + 1}/{plan.epochs}, batch {step + 1}/{batches}, loss {whole / (step + 1):.3f}, "
                     f"{time.monotonic() - began:.0f} s")  # fmt: skip


@torch.no_grad()
def scores(network: Network, texts: Sequence[Text], encode: Encode, embeddings: Embeddings) -> Any:
    """Return how sensitive each text's worst window is: (n_texts,) float32, in logits."""
    network.eval()
    found: list[Tensor] = []
    for at in range(0, len(texts), 64):
        some = texts[at : at + 64]
        outweigh, _, owners = _judged(network, [list(passages(text.text, encode)) for text in some], embeddings)
        found.append(_worst(outweigh, owners, len(some)))
    return torch.cat(found).numpy()


def _parameters(network: Network, frozen: int) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    for module in (network.ln, *network.layers[:frozen]) if frozen else ():
        for parameter in module.parameters():
            parameter.requires_grad_(False)
    named = [(name, one) for name, one in network.named_parameters() if one.requires_grad]
    trunk = [one for name, one in named if name.startswith(("layers.", "ln."))]
    head = [one for name, one in named if not name.startswith(("layers.", "ln."))]
    return trunk, head


def _loss(network: Network, texts: Sequence[Text], read: list[list[Passage]], embeddings: Embeddings) -> Tensor:
    outweigh, logits, owners = _judged(network, read, embeddings)
    worst = _worst(outweigh, owners, len(texts))
    soft = torch.zeros(len(texts)).scatter_add(0, owners, torch.exp(2 * (outweigh - worst.detach()[owners])))
    several = worst.detach() + torch.log(soft + 1e-9) / 2
    with torch.no_grad():
        place = torch.zeros(len(texts), dtype=torch.long)
        hits = (outweigh == worst[owners]).nonzero()[:, 0]
        place[owners[hits]] = hits
    wanted = torch.tensor([float(text.sensitive) for text in texts])
    kinds = torch.tensor([_KIND[text.kind] for text in texts])
    verdict = functional.binary_cross_entropy_with_logits((worst + several) / 2, wanted * 0.96 + 0.02)
    return verdict + 0.3 * functional.cross_entropy(logits[place], kinds, label_smoothing=0.05)


def _worst(outweigh: Tensor, owners: Tensor, texts: int) -> Tensor:
    return torch.full((texts,), _NOTHING).scatter_reduce(0, owners, outweigh, "amax")


def _judged(network: Network, read: list[list[Passage]], embeddings: Embeddings) -> tuple[Tensor, Tensor, Tensor]:
    """Return for all windows of all texts: how much sensitive outweighs, logits, and the number of the text."""
    items = sorted(((number, one) for number, found in enumerate(read) for one in found if one.windows),
                   key=lambda item: len(item[1].pieces))  # fmt: skip
    outweigh: list[Tensor] = []
    logits: list[Tensor] = []
    owners: list[Tensor] = []
    at = 0
    while at < len(items):
        end = at + 1
        while end < len(items) and (end - at + 1) * len(items[end][1].pieces) <= _TOKENS:
            end += 1
        some = [passage for _, passage in items[at:end]]
        vectors, mask, windows, real = _collated(some, embeddings)
        with torch.autocast("cpu", torch.bfloat16):
            found = network(vectors, mask, windows).float()
        outweigh.append(outweighs(found)[real])
        logits.append(found[real])
        numbers = torch.tensor([number for number, _ in items[at:end]])
        owners.append(numbers[:, None].expand_as(real)[real])
        at = end
    return torch.cat(outweigh), torch.cat(logits), torch.cat(owners)


def _collated(some: Sequence[Passage], embeddings: Embeddings) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    longest = max(len(one.pieces) for one in some)
    most = max(len(one.windows) for one in some)
    vectors = np.zeros((len(some), longest, 384), np.float32)
    mask = np.zeros((len(some), longest), bool)
    windows = np.zeros((len(some), most, longest), np.float32)
    real = np.zeros((len(some), most), bool)
    for row, one in enumerate(some):
        size = len(one.pieces)
        vectors[row, :size] = embeddings.of(np.array(one.pieces))
        mask[row, :size] = True
        real[row, : len(one.windows)] = True
        for column, window in enumerate(one.windows):
            windows[row, column, window.first : window.end] = 1.0
    return torch.tensor(vectors), torch.tensor(mask), torch.tensor(windows), torch.tensor(real)


def _mixed(text: Text, clean: Sequence[str], dice: random.Random, share: float) -> str:
    """Return a text as people write it, sometimes among clean neighbours: they must not change what it is."""
    told = dice.choice(text.tells) if text.tells and dice.random() < _ONLY_TOLD else text.text
    made = _careless(told, dice)[:_LONGEST]
    if dice.random() < _CLAIMED:
        claim, between = dice.choice(CLAIMS), dice.choice(("\n", " "))
        made = claim + between + made if dice.random() < 0.5 else made + between + claim
    if dice.random() >= share:
        return made
    for _ in range(dice.choice((1, 1, 2, 2, 4) if text.sensitive else (1, 2, 2, 4, 8))):
        other = _careless(dice.choice(clean), dice)[: dice.choice((120, 400, 900))]
        between = dice.choice(("\n", "\n\n", " "))
        made = other + between + made if dice.random() < 0.5 else made + between + other
    return made


def _careless(text: str, dice: random.Random) -> str:
    """Return a text as it is, or without capitals, accents, a stop or some letters."""
    luck = dice.random()
    if luck < 0.20:
        text = text.lower()
    elif luck < 0.23 and len(text) < 300:
        text = text.upper()
    if 0.08 < luck < 0.28:
        text = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one) != "Mn")
    if dice.random() < 0.12 and len(text) > 12:
        letters = list(text)
        for _ in range(1 + len(letters) // 80):
            at = dice.randrange(len(letters) - 1)
            if letters[at].isalpha() and letters[at + 1].isalpha():
                letters[at], letters[at + 1] = letters[at + 1], letters[at] if dice.random() < 0.5 else ""
        text = "".join(letters)
    return text.rstrip(".!?") if dice.random() < 0.1 else text
