# The Python analysis, of which the sanitizers see nothing. The distribution's packages (python3-xarray …) belong to its own interpreter,
# which need not be the first python3 on the PATH.
if(ENGRAM_SANITIZE)
    return()
endif()
if(NOT Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 3.9 COMPONENTS Interpreter)
if(Python3_FOUND)
    # 77, skipped: modules are missing; run.py says which.
    engram_script(analysis ${CMAKE_COMMAND} -E env ENGRAM=$<TARGET_FILE:engram>
        ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/analysis/tests/run.py others)
    # The page of `engram report`, in a browser too; 77 where there is none.
    engram_script(analysis_report ${CMAKE_COMMAND} -E env ENGRAM=$<TARGET_FILE:engram>
        ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/analysis/tests/run.py report COST 60)
    engram_script(e2e_report ${CMAKE_CURRENT_SOURCE_DIR}/e2e/report.sh $<TARGET_FILE:engram> LABELS e2e)
    # 77, skipped: SciPy or h5py is missing.
    engram_script(e2e_statistics ${CMAKE_CURRENT_SOURCE_DIR}/e2e/statistics.sh $<TARGET_FILE:engram>
                  ${Python3_EXECUTABLE} LABELS e2e)
else()
    message(WARNING "No Python 3.9 or newer found: the analysis is not tested")
endif()
