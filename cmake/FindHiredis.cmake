# hiredis by its files: the package files of its versions name their targets differently.
find_path(BACKTEST_HIREDIS_INCLUDE_DIR hiredis/hiredis.h REQUIRED)
find_library(BACKTEST_HIREDIS_LIBRARY hiredis REQUIRED)
if(NOT TARGET backtest_hiredis)
  add_library(backtest_hiredis UNKNOWN IMPORTED)
  set_target_properties(backtest_hiredis PROPERTIES
    IMPORTED_LOCATION ${BACKTEST_HIREDIS_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BACKTEST_HIREDIS_INCLUDE_DIR})
endif()
