"""Recipes: everything that decides a run, validated."""

from lionkit_lab.recipe._kappas import KappaSettings as KappaSettings
from lionkit_lab.recipe._load import bundled as bundled
from lionkit_lab.recipe._load import load as load
from lionkit_lab.recipe._models import BERT as BERT
from lionkit_lab.recipe._models import GPT2 as GPT2
from lionkit_lab.recipe._models import MLP as MLP
from lionkit_lab.recipe._models import ModelSettings as ModelSettings
from lionkit_lab.recipe._models import ResNet as ResNet
from lionkit_lab.recipe._models import ViT as ViT
from lionkit_lab.recipe._optimizers import SGD as SGD
from lionkit_lab.recipe._optimizers import AdamW as AdamW
from lionkit_lab.recipe._optimizers import Lion as Lion
from lionkit_lab.recipe._optimizers import LionK as LionK
from lionkit_lab.recipe._optimizers import Muon as Muon
from lionkit_lab.recipe._optimizers import OptimizerSettings as OptimizerSettings
from lionkit_lab.recipe._recipe import Recipe as Recipe
from lionkit_lab.recipe._sections import Characters as Characters
from lionkit_lab.recipe._sections import Constant as Constant
from lionkit_lab.recipe._sections import Cosine as Cosine
from lionkit_lab.recipe._sections import Images as Images
from lionkit_lab.recipe._sections import Logging as Logging
from lionkit_lab.recipe._sections import ScheduleSettings as ScheduleSettings
from lionkit_lab.recipe._sections import TaskSettings as TaskSettings
from lionkit_lab.recipe._sections import Training as Training
