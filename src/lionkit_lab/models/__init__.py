"""The networks: from transformers, small or as published, built from a recipe and never downloaded."""

from lionkit_lab.models._begin import Begun as Begun
from lionkit_lab.models._begin import begin as begin
from lionkit_lab.models._bert import bert as bert
from lionkit_lab.models._build import image_classifier as image_classifier
from lionkit_lab.models._build import language_model as language_model
from lionkit_lab.models._gpt2 import gpt2 as gpt2
from lionkit_lab.models._mlp import mlp as mlp
from lionkit_lab.models._published import PUBLISHED as PUBLISHED
from lionkit_lab.models._published import published as published
from lionkit_lab.models._resnet import resnet as resnet
from lionkit_lab.models._vit import vit as vit
from lionkit_lab.models._weights import Weights as Weights
from lionkit_lab.models._weights import find_weights as find_weights
