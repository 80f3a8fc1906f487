# Where a binary comes from: <build>/generated/run/build_info.h, refreshed at every build because the
# commit changes between configurations. Included by CMakeLists.txt and run as a script by the target.
if(NOT CMAKE_SCRIPT_MODE_FILE)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    # What decides about the bits of a result: optimisation, and every -f of EngramTargets.cmake.
    get_target_property(options engram_options INTERFACE_COMPILE_OPTIONS)
    list(FILTER options INCLUDE REGEX "^-f")
    list(JOIN options " " options)
    string(STRIP "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}} ${options}" flags)
    set(header "${PROJECT_BINARY_DIR}/generated/run/build_info.h")
    add_custom_target(engram_build_info BYPRODUCTS "${header}"
        COMMAND ${CMAKE_COMMAND} -D "PROJECT_VERSION=${PROJECT_VERSION}" -D "SOURCE=${PROJECT_SOURCE_DIR}"
                -D "CMAKE_C_COMPILER_ID=${CMAKE_C_COMPILER_ID}"
                -D "CMAKE_C_COMPILER_VERSION=${CMAKE_C_COMPILER_VERSION}"
                -D "CMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}" -D "ENGRAM_BUILD_FLAGS=${flags}"
                -D "HEADER=${header}" -P "${CMAKE_CURRENT_LIST_FILE}"
        COMMENT "Writing build_info.h" VERBATIM)
    target_include_directories(engram_run PRIVATE "${PROJECT_BINARY_DIR}/generated")
    add_dependencies(engram_run engram_build_info)
    return()
endif()

# Outside a checkout of git the commit is not known.
execute_process(COMMAND git -C "${SOURCE}" describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE ENGRAM_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(ENGRAM_COMMIT unknown)
endif()
# Writes only if the contents change, so nothing is compiled again for nothing.
configure_file("${SOURCE}/src/run/build_info.h.in" "${HEADER}" @ONLY)
