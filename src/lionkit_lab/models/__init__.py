"""The networks: small ones from transformers, built from a recipe and never downloaded."""

from lionkit_lab.models._gpt2 import gpt2 as gpt2
from lionkit_lab.models._resnet import resnet as resnet
from lionkit_lab.models._vit import vit as vit
