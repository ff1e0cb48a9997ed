#pragma once

#include "storage/memory_store.hpp"
#include "storage/redis_store.hpp"
#include "storage/rocksdb_store.hpp"
#include "tests/support/redis_server.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

namespace backtest::testing {

/// One kind of store. `open` opens it for the first time or again; only one is open at a time.
/// `durable` says whether another `open` finds what the one before has written. Not `available`
/// where a server is missing on this machine.
struct memory_fixture {
  static constexpr bool durable = false;
  static bool available() { return true; }
  std::unique_ptr<store> open() { return make_memory_store(); }
};

struct rocksdb_fixture {
  static constexpr bool durable = true;
  static bool available() { return true; }
  std::unique_ptr<store> open() { return open_rocksdb_store(directory.path() / "data"); }

  temporary_directory directory;
};

struct redis_fixture {
  static constexpr bool durable = true;
  static bool available() { return redis_server::available(); }
  std::unique_ptr<store> open() { return open_redis_store(server.url()); }

  redis_server server;
};

} // namespace backtest::testing
