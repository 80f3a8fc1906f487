# The Python analysis. The distribution's packages (python3-xarray …) belong to its own interpreter,
# which need not be the first python3 on the PATH.
if(NOT Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 3.9 COMPONENTS Interpreter)
if(Python3_FOUND)
    add_test(NAME analysis COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/analysis/tests/run.py)
    # 77: modules are missing; run.py says which.
    set_tests_properties(analysis PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77
        ENVIRONMENT "MPLCONFIGDIR=${CMAKE_CURRENT_BINARY_DIR}/matplotlib")
else()
    message(WARNING "No Python 3.9 or newer found: the analysis is not tested")
endif()
