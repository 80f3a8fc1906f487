# Sweep files: what they expand to, the decisions of a plan, and what is said about mistakes.
foreach(name expand overrides sources values decisions halving_seeds asha stops slice space bad_input seeds around failures baselines)
    engram_test(sweep_${name} LIBRARY sweep)
    target_sources(test_sweep_${name} PRIVATE support/plans.c)
endforeach()
engram_test(ranking LIBRARY sweep)
engram_test(disparity LIBRARY sweep)
