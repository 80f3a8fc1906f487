# One place for warnings, sanitizers and coverage; linked PRIVATE by every target of engram.
add_library(engram_options INTERFACE)
target_compile_options(engram_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wundef -Wwrite-strings -Wpointer-arith -Wcast-qual -Wvla -Wformat=2
    # The same source must give the same bits under gcc and clang; kernels that want fused
    # multiply-add say so themselves.
    -ffp-contract=off
    # Nobody reads errno after sqrt or floating-point traps; believing that somebody might keeps the
    # compilers from vectorising. Neither changes a result, NaN and infinity included.
    -fno-math-errno -fno-trapping-math)
# C17 without extensions hides clock_gettime and friends.
target_compile_definitions(engram_options INTERFACE _POSIX_C_SOURCE=200809L)
# HDF5 names everything its optional parts could need; loading what is not used slows every start.
target_link_options(engram_options INTERFACE -Wl,--as-needed)
if(ENGRAM_WERROR)
    target_compile_options(engram_options INTERFACE -Werror)
endif()
if(ENGRAM_SANITIZE)
    target_compile_options(engram_options INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(engram_options INTERFACE -fsanitize=address,undefined)
endif()
if(ENGRAM_FUZZ)
    target_compile_options(engram_options INTERFACE
        -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(engram_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
endif()
if(ENGRAM_COVERAGE)
    # Rank 0 trains in a second thread: counters that race go below zero, which gcovr refuses.
    target_compile_options(engram_options INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(engram_options INTERFACE --coverage)
endif()

# engram_library(NAME SOURCES … [LINKS public …] [PRIVATE_LINKS …]) makes engram_NAME, alias engram::NAME.
function(engram_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(engram_${name} STATIC ${ARG_SOURCES})
    add_library(engram::${name} ALIAS engram_${name})
    set_target_properties(engram_${name} PROPERTIES EXPORT_NAME ${name})
    target_include_directories(engram_${name}
        PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
        PRIVATE ${PROJECT_SOURCE_DIR}/src)
    target_include_directories(engram_${name} SYSTEM PRIVATE ${RANDOM123_INCLUDE_DIR})
    target_link_libraries(engram_${name}
        PUBLIC ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS} $<BUILD_INTERFACE:engram_options>)
endfunction()
