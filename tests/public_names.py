"""The public names, room by room: to add or drop one is a decision, made here too."""

PUBLIC = {
    "lionkit": """
        Lion LionK __version__ kappa kernels momentum probes theory
    """,
    "lionkit.kappa": """
        Arctan Cautious Entropy GroupL2 HalfSquaredL2 Huber InducedProblem Kappa L1 LInf Lp Relativistic
        Spectral TopK TruncatedL1
    """,
    "lionkit.kernels": """
        Backend Geometry SUMS WeightRounding describe foreach merge native reference refusal round_kahan
        round_stochastic select statistics step_key words
    """,
    "lionkit.momentum": """
        BLOCK Blockwise CODES DENSE INT4 INT8 MIN_NUMEL MomentumDtype SCALES codec decode_state dense_dtype
        dense_state_dict encode_state zero_state
    """,
    "lionkit.optim": """
        Lion LionK NumericsReport Observation Standstill
    """,
    "lionkit.probes": """
        FullGradient Quantities Statistics StepStatistics full_gradient
    """,
    "lionkit.theory": """
        Assumption Bound Box Constants Decrease Energy FlowDecrease FlowSettings Plan Problem Rate Scale
        Settings Term Trajectory Tuned box_excess centralized_rate centralized_vr_rate clion_rate
        clion_stability_rate contraction corollary3 corollary3_constants corollary3_steps corollary5 decrease
        distributed_rate distributed_vr_rate energy flow flow_decrease flow_energy frank_wolfe_gap
        inequality10 kkt_residual lemma6 lion_stability_rate one_bit_rate one_bit_uplink_rate one_bit_vr_rate
        phase plan reach sgd_rate sign_momentum_rate theorem2 theorem2_at theorem2_i theorem4 transfer
    """,
}
