# What attack/ needs; it is no part of the suite.
add_executable(attack_mutate EXCLUDE_FROM_ALL attack/mutate.c support/changes.c)
target_include_directories(attack_mutate PRIVATE support ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(attack_mutate PRIVATE engram_store engram_options)
add_custom_target(attack DEPENDS engram engram_test_hooks attack_mutate fuzz_sweep fuzz_settings fuzz_idx fuzz_checkpoint
    fuzz_message fuzz_journal fuzz_results)
