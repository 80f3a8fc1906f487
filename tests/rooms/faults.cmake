# Fault injection with the whole command: a few faults each; tests/faults/run.sh --full has the full counts.
foreach(name kill_worker kill_job hang_worker signals)
    engram_script(fault_${name} ${CMAKE_CURRENT_SOURCE_DIR}/faults/${name}.sh $<TARGET_FILE:engram>
                  RANKS 3 LABELS faults COST 240)
endforeach()
# Their ranks wait a minute and compute four seconds: others run beside them.
foreach(name startup long_minibatch)
    engram_script(fault_${name} ${CMAKE_CURRENT_SOURCE_DIR}/faults/${name}.sh $<TARGET_FILE:engram>
                  LABELS faults COST 240)
endforeach()
