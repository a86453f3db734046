"""CAREamics' restoration of one image by its U-Net, timed in an environment of its own.

benchmarks/restoration.py runs it; careamics_care.py beside this says how to make the environment.

    careamics_predict.py [--side 1024] [--device cpu] [--threads 2] [--rounds 5]

The U-Net is CAREamics' default, trained for two steps on noise, as its predictor wants statistics
of its training images; the time of a restoration does not depend on the weights. The last line
printed is JSON: seconds of each round, FLOP of the network on that image, versions.
"""

import argparse
import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from careamics import CAREamist
from careamics.config import create_advanced_care_config
from torch.utils.flop_counter import FlopCounterMode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    image = np.random.default_rng(0).random((options.side, options.side), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        model = trained_shortly(Path(folder), options.device)
        model.predict([image])
        times = [seconds(model, image) for _ in range(options.rounds)]
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model.model.cpu()(torch.from_numpy(image)[None, None])
    facts = {
        "seconds": times,
        "flop": counter.get_total_flops(),
        "versions": {name: version(name) for name in ("careamics", "torch")},
    }
    print(json.dumps(facts))


def trained_shortly(folder: Path, device: str) -> CAREamist:
    """Return CAREamics' default CARE after one epoch on a few patches of noise."""
    configuration = create_advanced_care_config(
        experiment_name="speed",
        data_type="array",
        axes="YX",
        patch_size=[64, 64],
        batch_size=8,
        num_epochs=1,
        trainer_params={"accelerator": "gpu" if device == "cuda" else "cpu", "max_steps": 2},
        seed=1,
    )
    model = CAREamist(configuration, work_dir=folder, enable_progress_bar=False)
    noise = np.random.default_rng(0).random((2, 128, 128), dtype=np.float32)
    given = {
        f"{split}_data{kind}": list(noise) for split in ("train", "val") for kind in ("", "_target")
    }
    model.train(**given)
    return model


def seconds(model: CAREamist, image: np.ndarray) -> float:
    """Time one restoration from array to array."""
    began = time.perf_counter()
    model.predict([image])
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
