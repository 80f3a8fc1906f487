# Fuzz targets. With ENGRAM_FUZZ (clang, see fuzz/run.sh) they are libFuzzer programs; in every other build a small
# driver replays the corpus and fixed changes of it.
add_library(engram_fuzz STATIC fuzz/fuzz.c support/changes.c)
target_include_directories(engram_fuzz PUBLIC fuzz support ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(engram_fuzz PRIVATE _XOPEN_SOURCE=700)
target_link_libraries(engram_fuzz PUBLIC engram_core engram_options)

# engram_fuzz_target(NAME LIBRARY CHANGES [LINK…]): CHANGES is how many variants of each input are replayed.
function(engram_fuzz_target name library changes)
    add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE engram_fuzz engram_${library} ${ARGN})
    if(ENGRAM_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        return()
    endif()
    target_sources(fuzz_${name} PRIVATE fuzz/replay.c)
    engram_script(fuzz_${name} $<TARGET_FILE:fuzz_${name}> ${changes} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${name})
endfunction()

engram_fuzz_target(sweep sweep 20)
engram_fuzz_target(settings core 20)
engram_fuzz_target(idx core 50)
engram_fuzz_target(checkpoint core 5)
engram_fuzz_target(order core 50)
engram_fuzz_target(message sched 50)
engram_fuzz_target(journal store 3)
engram_fuzz_target(results store 1 hdf5::hdf5)
