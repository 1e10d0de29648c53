"""Train the feature policy on recorded outcomes: about ten minutes a seed on one core.

    python recipes/maestro_mini.py POOL OUT [--seed 1] [--blank] [--resume] [--config recipes/maestro_mini.yaml]

POOL is a store filled by `maestro record`, or a folder of tables. Rewards are outcomes and prices alone; after each round the
validation split is played greedily, and the weights of the best round are kept in OUT. With --resume a training that was cut off
goes on from its last whole round.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from lines import Lines

from maestro.cli.loading import task_source
from maestro.cli.replay import replay
from maestro.config import load_config
from maestro.images import ImageStore
from maestro.rollout.manifest import read_manifest
from maestro.tasks.source import TeachingSource
from maestro.train.fitted_q.iteration import FittedQConfig
from maestro.train.fitted_q.training import train_features


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("maestro_mini.yaml"))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--blank", action="store_true", help="train and run with blank pictures")
    parser.add_argument("--resume", action="store_true", help="go on from OUT's last round")
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(FittedQConfig, given.config, [])
    if given.seed is not None:
        config = config.model_copy(update={"seed": given.seed})
    config = config.model_copy(update={"blank_images": given.blank})
    manifest, images = read_manifest(given.pool), ImageStore(capacity=1_000_000)
    pools = {split: replay(given.pool, manifest, split) for split in ("train", "val")}
    source = task_source(manifest.splits[0].source)
    assert isinstance(source, TeachingSource)
    final = train_features(pools["train"], pools["val"], source, images, given.out, config, Lines(), resume=given.resume)
    print(f"saved in {final}")


if __name__ == "__main__":
    main()
