"""Checkpoints: a folder a step and a pointer to the one in force, replaced atomically.

Weights are a safetensors file, which anything loads; the optimizer's tensors are written by torch's distributed
checkpoint, by every process its shards or its own, and read by any number of processes.
"""

from lionkit_lab.checkpoint._load import Saved as Saved
from lionkit_lab.checkpoint._load import load as load
from lionkit_lab.checkpoint._save import Snapshot as Snapshot
from lionkit_lab.checkpoint._save import forget as forget
from lionkit_lab.checkpoint._save import keep as keep
from lionkit_lab.checkpoint._save import save as save
