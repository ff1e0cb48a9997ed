# RocksDB by its own package file where that works (vcpkg, Conan: static, with all it links to),
# else by its files: Debian's names packages that its -dev package does not bring along.
find_package(RocksDB CONFIG QUIET)
if(TARGET RocksDB::rocksdb-shared)
  set(BACKTEST_ROCKS RocksDB::rocksdb-shared)
elseif(TARGET RocksDB::rocksdb)
  set(BACKTEST_ROCKS RocksDB::rocksdb)
else()
  find_path(BACKTEST_ROCKS_INCLUDE_DIR rocksdb/db.h REQUIRED)
  find_library(BACKTEST_ROCKS_LIBRARY rocksdb REQUIRED)
endif()
if(NOT TARGET backtest_rocks)
  if(BACKTEST_ROCKS)
    add_library(backtest_rocks INTERFACE IMPORTED)
    set_target_properties(backtest_rocks PROPERTIES INTERFACE_LINK_LIBRARIES ${BACKTEST_ROCKS})
  else()
    add_library(backtest_rocks UNKNOWN IMPORTED)
    set_target_properties(backtest_rocks PROPERTIES
      IMPORTED_LOCATION ${BACKTEST_ROCKS_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${BACKTEST_ROCKS_INCLUDE_DIR})
  endif()
endif()
