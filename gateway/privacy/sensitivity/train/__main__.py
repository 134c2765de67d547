"""Train the judge anew: `python -m gateway.privacy.sensitivity.train` (needs the extra `train`; an hour on two cores).

The same texts and seed give the same weights on the same machine and versions.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import onnx
import torch

from gateway.privacy.sensitivity.embeddings import Embeddings
from gateway.privacy.sensitivity.encoder import WEIGHTS, Encoder, encoding
from gateway.privacy.sensitivity.train import trunk, vocabulary
from gateway.privacy.sensitivity.train.calibration import calibrate
from gateway.privacy.sensitivity.train.export import graph_of
from gateway.privacy.sensitivity.train.machines import machine_texts
from gateway.privacy.sensitivity.train.network import Network, arrays
from gateway.privacy.sensitivity.train.texts import Text, read_all
from gateway.privacy.sensitivity.train.training import Plan, train

_TEXTS = Path("tests/data/sensitivity")
_OF_MACHINES = 300


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, calibrate and write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--texts", type=Path, default=_TEXTS, help=f"folders train/ and calibrate/ (default {_TEXTS})")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights go (default: where they are used)")
    parser.add_argument("--epochs", type=int, default=Plan().epochs)
    parser.add_argument("--seed", type=int, default=Plan().seed)
    parser.add_argument("--keep-vocabulary", action="store_true", help="use the vocabulary that is there")
    parser.add_argument(
        "--continue-from", type=Path, help="parameters of an earlier training, as --parameters wrote them"
    )
    parser.add_argument("--parameters", type=Path, help="write the parameters here as well, to go on from")
    given = parser.parse_args(arguments)
    texts = [*read_all(given.texts / "train"), *machine_texts(_OF_MACHINES, given.seed)]
    print(f"{len(texts)} texts of {len({text.writer for text in texts})} writers")
    given.out.mkdir(parents=True, exist_ok=True)
    lower = trunk.read(trunk.file())
    if not given.keep_vocabulary:
        vocabulary.write(lower, (text.text for text in texts), given.out)
    torch.manual_seed(given.seed)
    network = Network(lower)
    if given.continue_from is not None:
        network.load_state_dict(torch.load(given.continue_from, weights_only=True))
    plan = Plan(epochs=given.epochs, seed=given.seed)
    train(network, texts, encoding(given.out), Embeddings(given.out / "embeddings.npy"), plan)
    if given.parameters is not None:
        torch.save(network.state_dict(), given.parameters)
    onnx.save(graph_of(arrays(network)), str(given.out / "network.onnx"))
    write_calibration(given.out, read_all(given.texts / "calibrate"))


def write_calibration(folder: Path, texts: Sequence[Text]) -> None:
    """Write the calibration of the exported network, by texts that were not trained on."""
    sensitive = np.array([text.sensitive for text in texts])
    made = calibrate(Encoder(folder), [text.text for text in texts], sensitive)
    (folder / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
    print(f"calibrated on {len(texts)} texts: {made}")


if __name__ == "__main__":
    main()
