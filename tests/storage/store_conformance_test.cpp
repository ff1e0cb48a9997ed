// What every implementation of the store promises, run for each of them; and what batches promise.
#include "tests/storage/store_fixtures.hpp"

#include "messages/error.hpp"
#include "storage/store_conformance.hpp"

using namespace backtest;
using namespace backtest::testing;

#define STORES memory_fixture, rocksdb_fixture, redis_fixture

TYPE_TO_STRING_AS("memory", memory_fixture);
TYPE_TO_STRING_AS("rocksdb", rocksdb_fixture);
TYPE_TO_STRING_AS("redis", redis_fixture);

namespace {

template <class Fixture>
store_under_test stores_of() {
  return {[]() -> store_opener {
            return [place = std::make_shared<Fixture>()] { return place->open(); };
          },
          Fixture::durable};
}

/// Passes on to a store in memory, but for what a test breaks.
class passing_store : public store {
public:
  std::optional<std::string> get(store_space space, std::string_view key) const override {
    return kept_->get(space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    return kept_->scan(space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    return kept_->last(space, prefix);
  }
  void commit(const store_batch& batch) override { kept_->commit(batch); }
  void reopen() override { kept_->reopen(); }
  std::unique_ptr<store_reader> snapshot() const override { return kept_->snapshot(); }

protected:
  std::shared_ptr<store> kept_ = make_memory_store();
};

struct store_with_one_space : passing_store {
  void commit(const store_batch& batch) override {
    store_batch together;
    for (const auto& write : batch)
      if (write.value)
        together.put(store_space::state, write.key, *write.value);
      else
        together.erase(store_space::state, write.key);
    kept_->commit(together);
  }
};

struct store_without_erasure : passing_store {
  void commit(const store_batch& batch) override {
    store_batch puts;
    for (const auto& write : batch)
      if (write.value)
        puts.put(write.space, write.key, *write.value);
    kept_->commit(puts);
  }
};

struct store_ordered_as_signed : passing_store {
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    auto found = kept_->scan(space, prefix, from, limit);
    std::stable_partition(found.begin(), found.end(), [](const store_entry& entry) {
      return !entry.key.empty() && static_cast<signed char>(entry.key.front()) < 0;
    });
    return found;
  }
};

struct store_without_limits : passing_store {
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t) const override {
    return kept_->scan(space, prefix, from, SIZE_MAX);
  }
};

struct store_with_the_first_as_last : passing_store {
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const auto all = kept_->scan(space, prefix);
    return all.empty() ? std::nullopt : std::optional{all.front()};
  }
};

struct store_whose_snapshots_move : passing_store {
  struct view : store_reader {
    explicit view(std::shared_ptr<store> now) : now_(std::move(now)) {}
    std::optional<std::string> get(store_space space, std::string_view key) const override {
      return now_->get(space, key);
    }
    std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                  std::size_t limit) const override {
      return now_->scan(space, prefix, from, limit);
    }
    std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
      return now_->last(space, prefix);
    }
    std::shared_ptr<store> now_;
  };
  std::unique_ptr<store_reader> snapshot() const override { return std::make_unique<view>(kept_); }
};

struct store_that_takes_no_second_batch : passing_store {
  void commit(const store_batch& batch) override {
    if (std::exchange(is_used_, true))
      throw failure(error_code::store_failed, "full");
    kept_->commit(batch);
  }
  bool is_used_ = false;
};

template <class Store>
std::vector<std::string> broken_promises(bool is_durable = false) {
  return check_store(
      {[]() -> store_opener { return [] { return std::make_unique<Store>(); }; }, is_durable});
}

bool says(const std::vector<std::string>& broken, std::string_view text) {
  return std::any_of(broken.begin(), broken.end(),
                     [&](const std::string& one) { return one.find(text) != std::string::npos; });
}

} // namespace

TEST_CASE_TEMPLATE("store: every promise of a store is kept", T, STORES) {
  if (!T::available()) {
    MESSAGE("skipped: the server is not installed");
    return;
  }
  for (const auto& broken : check_store(stores_of<T>()))
    FAIL_CHECK(broken);
}

TEST_CASE("store: a promise that is broken is told, with what was expected") {
  CHECK(broken_promises<passing_store>().empty());
  CHECK(says(broken_promises<passing_store>(true), // it is no durable store
             "opened again, it holds what was committed: scan(state, \"\", \"\", no limit) gives 0 "
             "entries, expected 51 entries (\"key 0\": \"value 0\", "));
  CHECK(says(broken_promises<store_with_one_space>(), "the spaces are apart"));
  CHECK(says(broken_promises<store_without_erasure>(),
             "what was put is read, what was erased is not: get(state, \"b\") gives \"\", expected "
             "nothing"));
  CHECK(says(broken_promises<store_ordered_as_signed>(), "ordered by unsigned bytes"));
  CHECK(says(broken_promises<store_without_limits>(), "ends at the prefix and at the limit"));
  CHECK(says(broken_promises<store_with_the_first_as_last>(), "last is the greatest key"));
  CHECK(says(broken_promises<store_whose_snapshots_move>(), "does not see later commits"));
  CHECK(says(broken_promises<store_that_takes_no_second_batch>(), "it throws: full"));
}

TEST_CASE("store: a batch keeps its writes in order and counts their bytes") {
  store_batch batch;
  CHECK(batch.empty());
  batch.put(store_space::state, "key", "value");
  store_batch other;
  other.erase(store_space::journal, "gone");
  batch.append(std::move(other));
  batch.append({});
  CHECK(batch.size() == 2);
  CHECK(batch.bytes() == 12);
  const std::vector<store_write> writes(batch.begin(), batch.end());
  CHECK(writes[0] == store_write{store_space::state, "key", "value"});
  CHECK(writes[1] == store_write{store_space::journal, "gone", std::nullopt});
  store_batch empty;
  empty.append(std::move(batch));
  CHECK(empty.size() == 2);
  CHECK(empty.bytes() == 12);
}

TEST_CASE("store: a batch holds any bytes, and an empty value is no erasure") {
  const std::string zeros("a\0b", 3);
  store_batch one;
  one.put(store_space::candles, zeros, "");
  one.erase(store_space::state, "");
  one.put(store_space::state, "key", zeros);
  store_batch all;
  all.reserve(4, 64);
  all.put(store_space::journal, "first", "1");
  all.append(store_batch{one}); // behind what is there
  const std::vector<store_write> writes(all.begin(), all.end());
  REQUIRE(writes.size() == 4);
  CHECK(writes[0] == store_write{store_space::journal, "first", "1"});
  CHECK(writes[1] == store_write{store_space::candles, zeros, ""});
  CHECK(writes[2] == store_write{store_space::state, "", std::nullopt});
  CHECK(writes[3] == store_write{store_space::state, "key", zeros});
  CHECK(all.size() == 4);
  CHECK(all.bytes() == 15);
  CHECK(all != one);
  const auto moved = std::move(all);
  CHECK(moved.size() == 4);
  CHECK(all == store_batch{}); // NOLINT: what a batch promises
  all = one;
  all.clear();
  CHECK(all == store_batch{});
  CHECK(all.begin() == all.end());
  CHECK(all.bytes() == 0);
}

TEST_CASE("store: a batch is committed once it is large") {
  const auto target = make_memory_store();
  store_batch batch;
  const std::string half(4 * 1024 * 1024 - 1, 'x'); // with its key
  batch.put(store_space::candles, "a", half);
  commit_if_large(*target, batch);
  CHECK(batch.size() == 1);
  CHECK(target->scan(store_space::candles, "").empty());
  batch.put(store_space::candles, "b", half);
  commit_if_large(*target, batch);
  CHECK(batch.empty());
  CHECK(target->scan(store_space::candles, "").size() == 2);
}

TEST_CASE("store: the end of a prefix is the next text that does not start with it") {
  CHECK(end_of_prefix("a") == "b");
  CHECK(end_of_prefix("a\xFF\xFF") == "b");
  CHECK(end_of_prefix(std::string_view{"\0", 1}) == "\x01");
  CHECK(end_of_prefix("\x7F") == "\x80");
  CHECK_FALSE(end_of_prefix(""));
  CHECK_FALSE(end_of_prefix("\xFF\xFF"));
}
