# The scripts people start sweeps with.
engram_script(jobs_local ${CMAKE_CURRENT_SOURCE_DIR}/test_local.sh $<TARGET_FILE:engram> RANKS 2 LABELS mpi)
engram_script(jobs_submit ${CMAKE_CURRENT_SOURCE_DIR}/test_submit.sh $<TARGET_FILE:engram> LABELS e2e)

# A real Slurm on this machine, and two hosts made of network namespaces; neither says anything about memory.
if(NOT ENGRAM_SANITIZE AND NOT ENGRAM_COVERAGE)
    engram_script(e2e_slurm ${CMAKE_CURRENT_SOURCE_DIR}/e2e/slurm.sh $<TARGET_FILE:engram>
                  RANKS 2 LABELS e2e COST 600)
    engram_script(e2e_hosts ${CMAKE_CURRENT_SOURCE_DIR}/e2e/hosts.sh $<TARGET_FILE:engram>
                  RANKS 2 LABELS e2e COST 240)
endif()
