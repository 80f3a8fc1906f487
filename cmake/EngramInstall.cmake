# `cmake --install` gives the command, its manual pages and completions, the scripts, sweeps, tuners (run --ask), examples and analysis
# that go with it, the libraries, the headers and a package that find_package finds.
set(engram_libraries engram_core engram_plugin engram_sweep engram_store engram_sched engram_run)
install(TARGETS engram RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${engram_libraries} EXPORT engramTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/engram DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY adapters DESTINATION ${CMAKE_INSTALL_DATADIR}/engram FILES_MATCHING PATTERN "*.py")
install(EXPORT engramTargets NAMESPACE engram:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
# For plug-ins, which need the headers alone: `find_package(engram COMPONENTS headers)` asks for no library of others. Not
# fusing multiplications and additions gives the same bits with every compiler, as in engram itself.
add_library(engram_headers INTERFACE)
set_target_properties(engram_headers PROPERTIES EXPORT_NAME headers)
target_include_directories(engram_headers INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(engram_headers INTERFACE c_std_17)
target_compile_options(engram_headers INTERFACE -ffp-contract=off)
install(TARGETS engram_headers EXPORT engramHeaders)
install(EXPORT engramHeaders NAMESPACE engram:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
configure_package_config_file(cmake/engramConfig.cmake.in engramConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)
write_basic_package_version_file(engramConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/engramConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/engramConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/engram)

# The command itself makes them, from the tables of --help.
set(engram_pages ${CMAKE_CURRENT_BINARY_DIR}/pages)
install(CODE "
    file(MAKE_DIRECTORY \"${engram_pages}/man1\")
    execute_process(COMMAND \"$<TARGET_FILE:engram>\" man --all \"${engram_pages}/man1\" COMMAND_ERROR_IS_FATAL ANY)
    foreach(shell bash zsh fish)
        execute_process(COMMAND \"$<TARGET_FILE:engram>\" completion \${shell} COMMAND_ERROR_IS_FATAL ANY
                        OUTPUT_FILE \"${engram_pages}/engram.\${shell}\")
    endforeach()")
install(DIRECTORY ${engram_pages}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${engram_pages}/engram.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME engram)
install(FILES ${engram_pages}/engram.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _engram)
install(FILES ${engram_pages}/engram.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# quickstart.sh and install-dependencies.sh are about building a checkout.
install(DIRECTORY jobs sweeps docs examples DESTINATION ${CMAKE_INSTALL_DATADIR}/engram USE_SOURCE_PERMISSIONS
        PATTERN quickstart.sh EXCLUDE PATTERN install-dependencies.sh EXCLUDE)
install(DIRECTORY analysis DESTINATION ${CMAKE_INSTALL_DATADIR}/engram USE_SOURCE_PERMISSIONS
        PATTERN tests EXCLUDE PATTERN reference EXCLUDE PATTERN __pycache__ EXCLUDE)
