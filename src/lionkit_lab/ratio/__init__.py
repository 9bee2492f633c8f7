r"""The norm ratio against the number of weights: the paper's central figure.

The paper bounds the l1 norm of the gradient where others bound the l2 norm, and so needs
:math:`r = \|g\|_1 / \|g\|_2` to be of the order of :math:`\sqrt d`, the most it can be, and not of the order of 1, the
least. Here r of the full gradient is measured for networks of very different size, and :math:`r = a d^b` is fitted.

References:
    Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724, section 4.
"""

from lionkit_lab.ratio._cases import CASES as CASES
from lionkit_lab.ratio._cases import FULL_SIZE as FULL_SIZE
from lionkit_lab.ratio._cases import Case as Case
from lionkit_lab.ratio._cases import find_cases as find_cases
from lionkit_lab.ratio._csv import save_csv as save_csv
from lionkit_lab.ratio._curves import Curve as Curve
from lionkit_lab.ratio._curves import curves as curves
from lionkit_lab.ratio._figure import save_figures as save_figures
from lionkit_lab.ratio._ledger import Ledger as Ledger
from lionkit_lab.ratio._measure import Measurement as Measurement
from lionkit_lab.ratio._measure import measure as measure
from lionkit_lab.ratio._page import page as page
from lionkit_lab.ratio._rows import Row as Row
from lionkit_lab.ratio._rows import summarise as summarise
