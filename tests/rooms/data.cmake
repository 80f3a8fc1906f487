engram_test(idx LINKS ZLIB::ZLIB)
engram_test(dataset LINKS ZLIB::ZLIB)
engram_test(cifar LINKS ZLIB::ZLIB)
engram_test(augmentation)
engram_test(mapping)
engram_test(images LINKS hdf5::hdf5)
if(NOT ENGRAM_SANITIZE) # a script, and no program of this build
    engram_script(fetch_data ${CMAKE_CURRENT_SOURCE_DIR}/test_fetch_data.sh)
endif()
