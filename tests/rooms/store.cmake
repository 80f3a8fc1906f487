# Results on disk: the journal, the file made from it, the lock, and who may write where.
add_library(engram_store_testing STATIC support/stores.c support/plans.c)
target_link_libraries(engram_store_testing PUBLIC engram_testing engram_store)

foreach(name journal results refuse crash)
    engram_test(store_${name} LIBRARY store LINKS engram_store_testing hdf5::hdf5 TIMEOUT 300)
endforeach()
