# The rules of the house, and the installed package; every check has a case in selftest.sh that
# shows it can fail.
set(structure ${CMAKE_CURRENT_SOURCE_DIR}/structure)
if(NOT ENGRAM_SANITIZE) # about sources, which are the same in every build
    engram_script(structure_include_rule ${structure}/include_rule.sh ${PROJECT_SOURCE_DIR})
    engram_script(structure_name_rule ${structure}/name_rule.sh ${PROJECT_SOURCE_DIR})
    engram_script(structure_house_rules ${structure}/house_rules.sh ${PROJECT_SOURCE_DIR})
    engram_script(structure_public_headers
        ${structure}/public_headers.sh ${CMAKE_C_COMPILER} ${PROJECT_SOURCE_DIR})
    engram_script(structure_selftest ${structure}/selftest.sh ${CMAKE_C_COMPILER})
endif()
engram_script(structure_exported_symbols ${structure}/exported_symbols.sh
    $<TARGET_FILE:engram_core> $<TARGET_FILE:engram_plugin> $<TARGET_FILE:engram_sweep> $<TARGET_FILE:engram_store>
    $<TARGET_FILE:engram_sched> $<TARGET_FILE:engram_run> $<TARGET_FILE:engram_cli>)
engram_script(structure_registry_entries
    ${structure}/registry_entries.sh $<TARGET_FILE:engram_core>)
if(NOT ENGRAM_SANITIZE AND NOT ENGRAM_COVERAGE)
    engram_script(structure_readme_example ${structure}/readme_example.sh ${PROJECT_BINARY_DIR} COST 180)
    # Instrumented libraries need the instrumentation's own library in every program.
    engram_script(structure_install
        ${structure}/install.sh ${PROJECT_BINARY_DIR} ${CMAKE_C_COMPILER} COST 180)
endif()
