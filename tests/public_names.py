"""The public names, room by room: to add or drop one is a decision, made here too."""

PUBLIC = {
    "lionkit": """
        CLion CautiousLion Lion LionIGT LionK LionVR MARSLion MLorcLion Muon RLion SignSGD Signum StoSignSGD
        Tiger __version__ distributed for_model kappa kernels momentum optim probes theory
    """,
    "lionkit.kappa": """
        Arctan Cautious Entropy GroupL2 HalfSquaredL2 Huber InducedProblem Kappa L1 LInf Lp Relativistic
        Spectral TopK TruncatedL1
    """,
    "lionkit.distributed": """
        Cast DivergedWorkerError Link Mean Merging Mode SignOfMean Traffic UnbiasedVote VirtualWorkers Vote
        VoteError Workers agree
        all_reduce_seconds decide merge_momenta optimizer_refusals power_sgd_seconds step_seconds vote_seconds wire_bits
    """,
    "lionkit.kernels": """
        Backend Geometry Mask NAN_VOTE SUMS WeightRounding describe digits_per_byte foreach merge native pack_digits
        pack_signs reference refusal round_kahan round_stochastic select statistics step_key tally_signs
        unpack_digits words
    """,
    "lionkit.momentum": """
        BLOCK Blockwise CODES DENSE INT4 INT8 MIN_NUMEL MomentumDtype SCALES check_rank codec codec_of
        convert_state decode_state dense_dtype dense_state_dict encode_state has_momentum is_low_rank zero_state
    """,
    "lionkit.optim": """
        Agreement Batch CLion CautiousLion CautiousMask Direction Dither Gate GradientEstimate IGT Lion LionIGT
        LionK LionVR MARS MARSLion MLorcLion Muon NumericsReport Observation RLion STORM Sight SignSGD Signum
        Split Standstill StoSignSGD Tiger directions_of for_model split
    """,
    "lionkit.probes": """
        Estimate FullGradient ProblemConstants Quantities Statistics StepStatistics constants full_gradient
    """,
    "lionkit.testing": """
        Report check_codec check_kappa check_optimizer
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
