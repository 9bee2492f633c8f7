"""Training epochs that alternate with logging epochs, recorded and resumable, on one process or several."""

from lionkit_lab.train._measure import Measurement as Measurement
from lionkit_lab.train._train import train as train
