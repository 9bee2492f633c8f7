"""The theory as running code: bounds, plans, residuals, Lyapunov functions and the flow; one function a theorem."""

from lionkit.theory._box import Box as Box
from lionkit.theory._box import reach as reach
from lionkit.theory._box import theorem2_i as theorem2_i
from lionkit.theory._centralized_rates import centralized_rate as centralized_rate
from lionkit.theory._centralized_rates import centralized_vr_rate as centralized_vr_rate
from lionkit.theory._constants import Constants as Constants
from lionkit.theory._constants import corollary3_constants as corollary3_constants
from lionkit.theory._constants import corollary3_steps as corollary3_steps
from lionkit.theory._corollary3 import corollary3 as corollary3
from lionkit.theory._decrease import Decrease as Decrease
from lionkit.theory._decrease import decrease as decrease
from lionkit.theory._distributed_rates import distributed_rate as distributed_rate
from lionkit.theory._distributed_rates import distributed_vr_rate as distributed_vr_rate
from lionkit.theory._energy import Energy as Energy
from lionkit.theory._energy import energy as energy
from lionkit.theory._flow import FlowSettings as FlowSettings
from lionkit.theory._flow import Trajectory as Trajectory
from lionkit.theory._flow import flow as flow
from lionkit.theory._flow_energy import FlowDecrease as FlowDecrease
from lionkit.theory._flow_energy import flow_decrease as flow_decrease
from lionkit.theory._flow_energy import flow_energy as flow_energy
from lionkit.theory._lemma6 import lemma6 as lemma6
from lionkit.theory._one_bit_rates import one_bit_rate as one_bit_rate
from lionkit.theory._one_bit_rates import one_bit_uplink_rate as one_bit_uplink_rate
from lionkit.theory._one_bit_rates import one_bit_vr_rate as one_bit_vr_rate
from lionkit.theory._phases import contraction as contraction
from lionkit.theory._phases import phase as phase
from lionkit.theory._plan import Plan as Plan
from lionkit.theory._plan import plan as plan
from lionkit.theory._problem import Problem as Problem
from lionkit.theory._problem import Settings as Settings
from lionkit.theory._rates import clion_rate as clion_rate
from lionkit.theory._rates import clion_stability_rate as clion_stability_rate
from lionkit.theory._rates import lion_stability_rate as lion_stability_rate
from lionkit.theory._rates import sgd_rate as sgd_rate
from lionkit.theory._rates import sign_momentum_rate as sign_momentum_rate
from lionkit.theory._residuals import box_excess as box_excess
from lionkit.theory._residuals import frank_wolfe_gap as frank_wolfe_gap
from lionkit.theory._residuals import kkt_residual as kkt_residual
from lionkit.theory._result import Assumption as Assumption
from lionkit.theory._result import Bound as Bound
from lionkit.theory._result import Rate as Rate
from lionkit.theory._result import Term as Term
from lionkit.theory._theorem2 import theorem2 as theorem2
from lionkit.theory._theorem2 import theorem2_at as theorem2_at
from lionkit.theory._transfer import Scale as Scale
from lionkit.theory._transfer import Tuned as Tuned
from lionkit.theory._transfer import transfer as transfer
from lionkit.theory._unconstrained import corollary5 as corollary5
from lionkit.theory._unconstrained import inequality10 as inequality10
from lionkit.theory._unconstrained import theorem4 as theorem4

__all__ = [
    "Assumption",
    "Bound",
    "Box",
    "Constants",
    "Decrease",
    "Energy",
    "FlowDecrease",
    "FlowSettings",
    "Plan",
    "Problem",
    "Rate",
    "Scale",
    "Settings",
    "Term",
    "Trajectory",
    "Tuned",
    "box_excess",
    "centralized_rate",
    "centralized_vr_rate",
    "clion_rate",
    "clion_stability_rate",
    "contraction",
    "corollary3",
    "corollary3_constants",
    "corollary3_steps",
    "corollary5",
    "decrease",
    "distributed_rate",
    "distributed_vr_rate",
    "energy",
    "flow",
    "flow_decrease",
    "flow_energy",
    "frank_wolfe_gap",
    "inequality10",
    "kkt_residual",
    "lemma6",
    "lion_stability_rate",
    "one_bit_rate",
    "one_bit_uplink_rate",
    "one_bit_vr_rate",
    "phase",
    "plan",
    "reach",
    "sgd_rate",
    "sign_momentum_rate",
    "theorem2",
    "theorem2_at",
    "theorem2_i",
    "theorem4",
    "transfer",
]
