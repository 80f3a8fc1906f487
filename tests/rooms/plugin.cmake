# Components from outside: descriptors, the conformance suite, and whole plug-ins that are compiled as their authors would.
engram_test(plugin LIBRARY plugin)
engram_script(e2e_plugins ${CMAKE_CURRENT_SOURCE_DIR}/e2e/plugins.sh $<TARGET_FILE:engram> ${CMAKE_C_COMPILER}
    ${PROJECT_SOURCE_DIR}/include RANKS 2 LABELS e2e COST 120)
