"""Sweeps: optimizers x learning rates x seeds, each optimizer with the same budget, on one machine or on many."""

from lionkit_lab.sweep._arm import Arm as Arm
from lionkit_lab.sweep._arm import arms_of as arms_of
from lionkit_lab.sweep._database import Database as Database
from lionkit_lab.sweep._goal import Goal as Goal
from lionkit_lab.sweep._goal import goal_of as goal_of
from lionkit_lab.sweep._outcome import Outcome as Outcome
from lionkit_lab.sweep._rows import Row as Row
from lionkit_lab.sweep._rows import rows_of as rows_of
from lionkit_lab.sweep._samplers import TPE as TPE
from lionkit_lab.sweep._samplers import Grid as Grid
from lionkit_lab.sweep._samplers import Sampler as Sampler
from lionkit_lab.sweep._study import ArmStudy as ArmStudy
from lionkit_lab.sweep._sweep import Listener as Listener
from lionkit_lab.sweep._sweep import num_finished as num_finished
from lionkit_lab.sweep._sweep import num_runs as num_runs
from lionkit_lab.sweep._sweep import run as run
