"""Write the set into a directory, to look at. Run: `python -m tests.bench.attachments.corpus DIRECTORY [--seed N]`."""

import argparse
from pathlib import Path

from tests.bench.attachments.corpus.collection import SEED, collection


def main() -> None:
    """Write every file, and a list of what stands where."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(" Run:")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with (arguments.directory / "list.tsv").open("w", encoding="utf-8") as listed:
        for sample in collection(arguments.seed):
            (arguments.directory / sample.name).write_bytes(sample.data)
            row = (sample.name, sample.half, sample.tier, sample.kind, sample.case, "; ".join(sample.values))
            print(*row, sep="\t", file=listed)


if __name__ == "__main__":
    main()
