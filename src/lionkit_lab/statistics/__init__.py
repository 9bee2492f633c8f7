"""What a few numbers say: a mean with its interval, a test of differences, the exponent of a power law."""

from lionkit_lab.statistics._power_law import Points as Points
from lionkit_lab.statistics._power_law import PowerLaw as PowerLaw
from lionkit_lab.statistics._power_law import fit as fit
from lionkit_lab.statistics._spread import CONFIDENCE as CONFIDENCE
from lionkit_lab.statistics._spread import Spread as Spread
from lionkit_lab.statistics._t_test import TTest as TTest
from lionkit_lab.statistics._t_test import t_test as t_test
