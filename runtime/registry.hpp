#pragma once

#include "messages/error.hpp"
#include "runtime/schema_checks.hpp"
#include "runtime/schemas.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace backtest {

/// The schemas of one kind, in the order of registration. Thread-safe; what was handed out stays
/// valid and unchanged.
template <class Schema> class schema_table {
public:
  schema_table(const char* kind, std::string Schema::*name) : kind_(kind), name_(name) {}

  /// Checks first, then inserts. Throws `failure`: `invalid_argument`, or `already_exists`.
  void add(Schema schema) {
    check_schema(schema);
    const std::lock_guard lock{mutex_};
    if (find_locked(schema.*name_))
      throw failure(error_code::already_exists,
                    fmt::format("{} {} already exist", kind_, schema.*name_));
    entries_.push_back(std::make_shared<const Schema>(std::move(schema)));
  }

  /// Replaces a schema by what `change` makes of a copy of it; the name stays. Throws `failure`:
  /// `not_found`, or `invalid_argument`; on a throw nothing changed.
  void override_with(const std::string& name, const std::function<void(Schema&)>& change) {
    if (!change)
      throw failure(error_code::invalid_argument,
                    fmt::format("override_{} {}: change must be a function", kind_, name));
    Schema merged = *get(name, "override");
    change(merged);
    merged.*name_ = name;
    check_schema(merged);
    const std::lock_guard lock{mutex_};
    for (auto& entry : entries_)
      if ((*entry).*name_ == name)
        entry = std::make_shared<const Schema>(std::move(merged));
  }

  /// Throws `failure{not_found}` with the text "<kind> <name> not found source=<source>".
  std::shared_ptr<const Schema> get(const std::string& name, std::string_view source) const {
    const std::lock_guard lock{mutex_};
    if (auto found = find_locked(name))
      return found;
    throw failure(error_code::not_found,
                  fmt::format("{} {} not found source={}", kind_, name, source));
  }

  std::vector<Schema> list() const {
    const std::lock_guard lock{mutex_};
    std::vector<Schema> all;
    for (const auto& entry : entries_)
      all.push_back(*entry);
    return all;
  }

  std::vector<std::string> names() const {
    const std::lock_guard lock{mutex_};
    std::vector<std::string> all;
    for (const auto& entry : entries_)
      all.push_back((*entry).*name_);
    return all;
  }

private:
  std::shared_ptr<const Schema> find_locked(const std::string& name) const {
    for (const auto& entry : entries_)
      if ((*entry).*name_ == name)
        return entry;
    return nullptr;
  }

  const char* kind_;
  std::string Schema::*name_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Schema>> entries_;
};

/// Everything registered with one runtime.
struct registry {
  schema_table<exchange_schema> exchanges{"exchange", &exchange_schema::exchange_name};
  schema_table<frame_schema> frames{"frame", &frame_schema::frame_name};
  schema_table<risk_schema> risks{"risk", &risk_schema::risk_name};
  schema_table<sizing_schema> sizings{"sizing", &sizing_schema::sizing_name};
  schema_table<strategy_schema> strategies{"strategy", &strategy_schema::strategy_name};
  schema_table<walker_schema> walkers{"walker", &walker_schema::walker_name};
};

} // namespace backtest
