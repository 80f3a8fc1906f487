# The scheduler: messages, queues and signals by themselves; whole sweeps of fake work without MPI and with
# 1, 2, 3 and 5 ranks.
add_library(engram_fake_sched STATIC support/fake_sched.c)
target_link_libraries(engram_fake_sched PUBLIC engram_testing engram_sched)

foreach(name message queue signals placement)
    engram_test(sched_${name} LIBRARY sched)
endforeach()
foreach(name worker world sweep)
    engram_test(sched_${name} LIBRARY sched LINKS engram_fake_sched)
endforeach()
target_link_libraries(test_sched_world PRIVATE MPI::MPI_C)
set_tests_properties(sched_sweep PROPERTIES LABELS "mpi")

foreach(ranks 1 2 3 5)
    add_test(NAME sched_sweep_${ranks}
             COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/mpirun.sh ${ranks} $<TARGET_FILE:test_sched_sweep> ${ranks})
    set_tests_properties(sched_sweep_${ranks} PROPERTIES LABELS "mpi" TIMEOUT 120 PROCESSORS 2)
endforeach()

# Rank 0 or a worker dies in the middle of a sweep.
add_executable(sched_death sched_death.c)
target_link_libraries(sched_death PRIVATE engram_fake_sched)
add_test(NAME sched_death COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/sched_death.sh $<TARGET_FILE:sched_death>)
set_tests_properties(sched_death PROPERTIES LABELS "mpi" TIMEOUT 120)

# Open MPI's own leaks are not ours; see sanitize/lsan.supp. Plug-in frames are only known with the slow
# unwinder.
set(sched_tests sched_sweep sched_sweep_1 sched_sweep_2 sched_sweep_3 sched_sweep_5 sched_world
    sched_death)
set_tests_properties(${sched_tests} PROPERTIES ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/sanitize/lsan.supp:print_suppressions=0;ASAN_OPTIONS=fast_unwind_on_malloc=0")

add_executable(bench_sched_idle bench/sched_idle.c)
target_link_libraries(bench_sched_idle PRIVATE engram_fake_sched)
