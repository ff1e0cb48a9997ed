# The package: `find_package(backtest_caf)` gives backtest_caf::backtest_caf (the library) and
# backtest_caf::plugin (the headers, for plugins of the command).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/backtest_caf)
set_target_properties(backtest_plugin PROPERTIES EXPORT_NAME plugin)
install(TARGETS backtest_core backtest_databases backtest_caf backtest_plugin EXPORT backtest_caf)
install(EXPORT backtest_caf NAMESPACE backtest_caf:: FILE backtest_caf-targets.cmake
  DESTINATION ${package_directory})
# Headers of what hands out whole series of candles, and of what needs them, stay behind: a strategy
# must not find a way to them. So do those that nobody needs outside: of the gate.
set(headers_left_out "/actors/client_contracts|/(exchange|market|publisher|blocking_source|strategy)_actor")
string(APPEND headers_left_out "|/gate/(connection_bounds|frame_check|gate|gate_secret|refusal_notices)")
string(APPEND headers_left_out "|/runtime/(live|live_start|portfolio|report_access|runtime_core)")
foreach(room messages storage actors runtime)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${room})
    install(DIRECTORY ${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/backtest_caf
      FILES_MATCHING PATTERN "*.hpp" REGEX "(${headers_left_out})\\.hpp$" EXCLUDE)
  endif()
endforeach()
configure_package_config_file(cmake/backtest_caf-config.cmake.in backtest_caf-config.cmake
  INSTALL_DESTINATION ${package_directory})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/backtest_caf-config-version.cmake
  COMPATIBILITY ExactVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/backtest_caf-config.cmake
  ${PROJECT_BINARY_DIR}/backtest_caf-config-version.cmake
  cmake/FindCAF.cmake cmake/FindHiredis.cmake cmake/FindRocks.cmake cmake/FindZip.cmake
  DESTINATION ${package_directory})

# What is to be read: README.md and what it points to, in the same folders.
install(FILES README.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY tools/examples tools/example_plugin DESTINATION ${CMAKE_INSTALL_DOCDIR}/tools)
