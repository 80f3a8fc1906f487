# Writes that fail and processes that die while they write results: short versions of what tests/faults runs
# in full. An instrumented program does not let other libraries go first.
if(NOT ENGRAM_SANITIZE)
    add_library(engram_fault_preload MODULE faults/preload.c)
    target_compile_definitions(engram_fault_preload PRIVATE _GNU_SOURCE)
    target_link_libraries(engram_fault_preload PRIVATE engram_options Threads::Threads)
    engram_script(fault_files ${CMAKE_CURRENT_SOURCE_DIR}/faults/files.sh --short
                  $<TARGET_FILE:engram> $<TARGET_FILE:engram_fault_preload> LABELS faults COST 300)
    engram_script(fault_memory ${CMAKE_CURRENT_SOURCE_DIR}/faults/memory.sh $<TARGET_FILE:engram> LABELS faults COST 300)
endif()
engram_script(fault_races ${CMAKE_CURRENT_SOURCE_DIR}/faults/races.sh $<TARGET_FILE:engram> RANKS 3 LABELS faults
              COST 240)
