# Results on disk: the journal, the file made from it, the lock, and who may write where.
add_library(engram_store_testing STATIC support/stores.c support/plans.c)
target_link_libraries(engram_store_testing PUBLIC engram_testing engram_store)

foreach(name journal results plans pauses refuse foreign copies crash merge footer flips orders exchanges)
    engram_test(store_${name} LIBRARY store LINKS engram_store_testing hdf5::hdf5 COST 300)
endforeach()

# xarray, netCDF, h5py, h5dump, ncdump on the result file; rooms/analysis.cmake looks for Python in the
# same way.
if(NOT Python3_EXECUTABLE AND EXISTS /usr/bin/python3)
    set(Python3_EXECUTABLE /usr/bin/python3)
endif()
find_package(Python3 3.9 COMPONENTS Interpreter)
if(Python3_FOUND)
    engram_script(e2e_readers ${CMAKE_CURRENT_SOURCE_DIR}/e2e/readers.sh $<TARGET_FILE:engram>
                  ${Python3_EXECUTABLE} LABELS e2e COST 240)
    engram_script(e2e_ask ${CMAKE_CURRENT_SOURCE_DIR}/e2e/ask.sh $<TARGET_FILE:engram>
                  ${Python3_EXECUTABLE} RANKS 2 LABELS e2e COST 240)
    # The NumPy example of docs/weights.md; skips where NumPy or h5py are missing.
    engram_script(apd_weights ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_SOURCE_DIR}/peer/apd_weights.py
                  $<TARGET_FILE:engram> ${PROJECT_SOURCE_DIR}/docs/weights.md)
endif()

# The recipes of analysis/README.md and the scripts of analysis/examples; they skip where Octave or R is missing.
engram_script(e2e_octave ${CMAKE_CURRENT_SOURCE_DIR}/e2e/octave_r.sh $<TARGET_FILE:engram> octave LABELS e2e)
engram_script(e2e_r ${CMAKE_CURRENT_SOURCE_DIR}/e2e/octave_r.sh $<TARGET_FILE:engram> r LABELS e2e)

engram_test(order_groups LIBRARY store LINKS engram_store_testing hdf5::hdf5)
engram_test(weights_file LIBRARY store LINKS engram_store_testing hdf5::hdf5)
engram_test(out_of_memory LIBRARY store LINKS engram_store_testing ZLIB::ZLIB)
