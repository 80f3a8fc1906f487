# The scheduler: messages, queues and signals by themselves; whole sweeps of fake work without MPI and with
# 1, 2, 3 and 5 ranks.
add_library(engram_fake_sched STATIC support/fake_sched.c)
target_link_libraries(engram_fake_sched PUBLIC engram_testing engram_sched)
add_library(engram_quiet_client STATIC support/quiet_client.c)
target_link_libraries(engram_quiet_client PUBLIC engram_testing engram_sched)

foreach(name message queue signals placement)
    engram_test(sched_${name} LIBRARY sched)
endforeach()
engram_test(sched_trial LIBRARY sched LINKS engram_quiet_client)
engram_test(sched_checkpoint LIBRARY sched LINKS engram_saved_trials)
engram_test(sched_worker LIBRARY sched LINKS engram_fake_sched)
engram_test(sched_world LIBRARY sched LINKS engram_fake_sched MPI::MPI_C)

engram_test(sched_channel LIBRARY sched LINKS MPI::MPI_C RANKS 3 LABELS mpi)
engram_test(sched_sweep LIBRARY sched LINKS engram_fake_sched LABELS mpi)
foreach(ranks 1 2 3 5)
    engram_script(sched_sweep_${ranks} ${CMAKE_CURRENT_SOURCE_DIR}/mpirun.sh ${ranks}
                  $<TARGET_FILE:test_sched_sweep> ${ranks} RANKS ${ranks} LABELS mpi)
endforeach()

# Rank 0 or a worker dies in the middle of a sweep.
add_executable(sched_death sched_death.c)
target_link_libraries(sched_death PRIVATE engram_fake_sched)
engram_script(sched_death ${CMAKE_CURRENT_SOURCE_DIR}/sched_death.sh $<TARGET_FILE:sched_death>
              RANKS 4 LABELS mpi)

add_executable(bench_sched_idle bench/sched_idle.c)
target_link_libraries(bench_sched_idle PRIVATE engram_fake_sched engram_quiet_client)

# Rank 0 beside many simulated workers: channel and clock are the simulation's.
add_executable(bench_sched_scale EXCLUDE_FROM_ALL bench/sched_scale.c bench/sched_peers.c)
target_link_libraries(bench_sched_scale PRIVATE engram_quiet_client MPI::MPI_C)
foreach(function clock now sched_sleep backoff_reset backoff_next mpi_channel_create)
    target_link_options(bench_sched_scale PRIVATE "LINKER:--wrap=eg_${function}")
endforeach()

# A model of the conversation, of no concern to the sanitizers; skips without spin.
if(NOT ENGRAM_SANITIZE)
    engram_script(sched_protocol ${CMAKE_CURRENT_SOURCE_DIR}/sched_protocol.sh)
endif()
