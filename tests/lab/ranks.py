"""Train the cases of `test_processes` one after the other, alone or under torchrun.

    python ranks.py RECIPE OUT
    torchrun --nproc-per-node 2 ranks.py RECIPE OUT

OUT/<case> is the run folder of a case.
"""

import sys
from pathlib import Path

import torch

from lionkit_lab.recipe import load
from lionkit_lab.train import train

FLOAT64 = "engine.precision=float64"
FSDP2 = "engine.sharding=fsdp2"
ADAMW = "optimizer={name='adamw', lr=3e-3, betas=[0.8, 0.95], weight_decay=0.3}"
# The batch of 10 is cut unevenly, and that of 3 at the end of an epoch leaves a part empty.
CASES = {
    "lion": [FLOAT64],
    "lion, parts": [FLOAT64, "engine.accumulate=4"],
    "adamw": [FLOAT64, ADAMW],
    "mars, exact": [FLOAT64, "optimizer={name='mars_lion', lr=3e-3, weight_decay=0.3, gamma=0.1, exact=true}"],
    "float32": [],
    "bfloat16": ["engine.precision=bfloat16"],
}
SHARDED = {
    "lion, sharded": [FLOAT64, FSDP2],
    "lion, sharded, parts": [FLOAT64, FSDP2, "engine.accumulate=2"],
    "adamw, sharded": [FLOAT64, FSDP2, ADAMW],
    "cautious, sharded": [FLOAT64, FSDP2, "optimizer={name='cautious_lion', lr=3e-3, weight_decay=0.3}"],
    "bfloat16, sharded": [FSDP2, "engine.precision=bfloat16"],
}


def main() -> None:
    torch.set_num_threads(1)
    recipe, out = Path(sys.argv[1]), Path(sys.argv[2])
    sharded = torch.distributed.is_torchelastic_launched()
    for name, overrides in {**CASES, **SHARDED}.items():
        if not sharded:
            overrides = [text for text in overrides if text != FSDP2]
        train(load(recipe, overrides), out / name)


if __name__ == "__main__":
    main()
