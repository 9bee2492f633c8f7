"""A recipe of which a run takes a second."""

# One layer, 12 steps, a logging epoch every 4 over 40 images: every part of a run, as small as it gets.
TINY = """
name = "tiny"
title = "a test"
seed = 3
[task]
name = "images"
[model]
name = "vit"
width = 16
layers = 1
heads = 2
dropout = 0.1
[optimizer]
name = "lion"
lr = 3e-3
betas = [0.8, 0.95]
weight_decay = 0.3
[schedule]
name = "cosine"
warmup_steps = 3
[training]
steps = 12
batch_size = 10
clip = 1.0
checkpoint_every = 3
[logging]
every = 4
batches = 2
batch_size = 20
step_every = 1
[[compare]]
name = "sgd"
lrs = [1e-2, 1e30]
[[compare]]
name = "lion"
lrs = [1e-3]
"""
