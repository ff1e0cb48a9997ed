#include "actors/http/http_pool.hpp"

#include "messages/error.hpp"
#include "tests/support/http_server.hpp"

#include <atomic>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("http pool: one after the other they share a connection") {
  http_server server{[](const std::string& target) { return served_answer{target}; }};
  http_pool pool;
  for (int i = 0; i < 5; ++i)
    CHECK(pool.get(fmt::format("{}/{}", server.url(), i)).body == fmt::format("/{}", i));
  CHECK(server.connections() == 1);
}

TEST_CASE("http pool: at the same time each has its own, and its own answer") {
  http_server server{[](const std::string& target) { return served_answer{target}; }};
  http_pool pool;
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 25; ++i) {
        const auto path = fmt::format("/{}/{}", thread, i);
        if (pool.get(server.url() + path).body != path)
          ++wrong;
      }
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(wrong == 0);
  CHECK(server.targets().size() == 100);
  CHECK(server.connections() <= 4);
}

TEST_CASE("http pool: a request that failed does not spoil the next one") {
  http_server server{[](const std::string&) { return served_answer{"here"}; }};
  http_pool pool;
  CHECK_THROWS_AS(pool.get(deserted_url()), failure);
  CHECK(pool.get(server.url()).body == "here");
}
