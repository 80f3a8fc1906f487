# `cmake --install` gives the command, the libraries, the headers and a package that find_package finds.
set(engram_libraries engram_core engram_sweep engram_store engram_sched engram_run)
install(TARGETS engram RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${engram_libraries} EXPORT engramTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/engram DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT engramTargets NAMESPACE engram:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
configure_package_config_file(cmake/engramConfig.cmake.in engramConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
write_basic_package_version_file(engramConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/engramConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/engramConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
