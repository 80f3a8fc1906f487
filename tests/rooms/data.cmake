engram_test(idx LINKS ZLIB::ZLIB)
engram_test(dataset LINKS ZLIB::ZLIB)
engram_test(cifar LINKS ZLIB::ZLIB)
add_test(NAME fetch_data COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/test_fetch_data.sh)
# 77: the distribution's Fashion-MNIST is not installed; the script says so.
set_tests_properties(fetch_data PROPERTIES LABELS unit TIMEOUT 120 SKIP_RETURN_CODE 77)
