# The scripts people start sweeps with.
engram_script(jobs_local ${CMAKE_CURRENT_SOURCE_DIR}/test_local.sh RANKS 2 LABELS mpi)
