"""What a whole `optimizer.step()` costs on a CPU, beside its peers.

In every round each contender takes one step, in an order that is drawn anew: what slows the machine down for a while
slows all of them, and each finds the caches as any other has left them. Medians and quartiles over the rounds.
Contenders share the gradients; each has its own weights and state.

"moved" is what the update must move a parameter, not what an implementation does move: weights and state are read and
written once, gradients read once. So a step in several passes has a low share of the bandwidth. "streaming" is one
in-place multiply of one float32 tensor with as many bytes as the weights; where it fits into a cache or takes no longer
than its own call, as below some 1e7 parameters, it is no limit, and a share of it may be far from 100% either way.
"extra" is what a step allocates at its peak beyond the weights, gradients and state.
"""

from lionkit_lab.bench._cases import EFFORTS as EFFORTS
from lionkit_lab.bench._cases import Case as Case
from lionkit_lab.bench._cases import Effort as Effort
from lionkit_lab.bench._cases import find_cases as find_cases
from lionkit_lab.bench._circumstances import circumstances as circumstances
from lionkit_lab.bench._contenders import BASELINE as BASELINE
from lionkit_lab.bench._contenders import CONTENDERS as CONTENDERS
from lionkit_lab.bench._contenders import choose as choose
from lionkit_lab.bench._csv import Record as Record
from lionkit_lab.bench._figure import check_figure as check_figure
from lionkit_lab.bench._figure import save as save
from lionkit_lab.bench._measure import measure as measure
from lionkit_lab.bench._result import Result as Result
from lionkit_lab.bench._result import Row as Row
from lionkit_lab.bench._table import Page as Page
