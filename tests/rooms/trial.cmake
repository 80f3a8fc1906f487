engram_test(metric)
engram_test(trial)
engram_test(trial_calls)
engram_test(check_names)

# Checkpoints. ENGRAM_FULL_TESTS=1 in the environment: damage at every byte, 10,000 flipped bits.
add_library(engram_saved_trials STATIC support/saved_trials.c)
target_link_libraries(engram_saved_trials PUBLIC engram_testing engram_core)
engram_test(checkpoint LINKS engram_saved_trials)
engram_test(checkpoint_damage LINKS engram_saved_trials)
engram_test(looks)
engram_test(peak)
engram_test(measures LINKS engram_saved_trials)
engram_test(early_end LINKS engram_saved_trials)
