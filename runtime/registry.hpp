#pragma once

#include "messages/error.hpp"
#include "runtime/schema_checks.hpp"
#include "runtime/schemas.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
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
      refuse_second(schema.*name_);
    entries_.push_back(std::make_shared<const Schema>(std::move(schema)));
  }

  /// Throws what `add` would throw for the first of these that it would refuse.
  void check_all(const std::vector<Schema>& schemas) const {
    const std::lock_guard lock{mutex_};
    std::set<std::string_view> names;
    for (const auto& schema : schemas) {
      check_schema(schema);
      if (find_locked(schema.*name_) || !names.insert(schema.*name_).second)
        refuse_second(schema.*name_);
    }
  }

  /// Replaces a schema by what `change` makes of a copy of it. Throws `failure`: `not_found`, or
  /// `invalid_argument`, also for another name; on a throw nothing changed.
  void override_with(const std::string& name, const std::function<void(Schema&)>& change) {
    if (!change)
      throw failure(error_code::invalid_argument,
                    fmt::format("override_{} {}: change must be a function", kind_, name));
    Schema merged = *get(name, "override");
    change(merged);
    if (merged.*name_ != name) // others refer to it, and would not find it
      throw failure(error_code::invalid_argument,
                    fmt::format("{} {}: an override must keep the name, got \"{}\"; expected "
                                "add_{} for another {}",
                                kind_, name, merged.*name_, kind_, kind_));
    check_schema(merged);
    const std::lock_guard lock{mutex_};
    for (auto& entry : entries_)
      if ((*entry).*name_ == name)
        entry = std::make_shared<const Schema>(std::move(merged));
  }

  /// Throws `failure{not_found}` with the text "<kind> <name> not found source=<source>", and who
  /// named it: `named_by`, "strategy cross" for one; "": the caller.
  std::shared_ptr<const Schema> get(const std::string& name, std::string_view source,
                                    std::string_view named_by = {}) const {
    const std::lock_guard lock{mutex_};
    if (auto found = find_locked(name))
      return found;
    throw failure(error_code::not_found,
                  fmt::format("{} {} not found source={}{}{}", kind_, name, source,
                              named_by.empty() ? "" : ", named by ", named_by));
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
  [[noreturn]] void refuse_second(const std::string& name) const {
    throw failure(error_code::already_exists, fmt::format("{} {} already exist", kind_, name));
  }

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

/// Everything registered with one runtime. What schemas name may be registered after them, so the
/// names are looked up when they are needed.
struct registry {
  schema_table<exchange_schema> exchanges{"exchange", &exchange_schema::exchange_name};
  schema_table<frame_schema> frames{"frame", &frame_schema::frame_name};
  schema_table<risk_schema> risks{"risk", &risk_schema::risk_name};
  schema_table<sizing_schema> sizings{"sizing", &sizing_schema::sizing_name};
  schema_table<strategy_schema> strategies{"strategy", &strategy_schema::strategy_name};
  schema_table<walker_schema> walkers{"walker", &walker_schema::walker_name};

  /// A strategy, once its risk profiles are there too. Throws `failure{not_found}`.
  std::shared_ptr<const strategy_schema> complete_strategy(const std::string& name,
                                                           std::string_view source,
                                                           std::string_view named_by = {}) const {
    auto strategy = strategies.get(name, source, named_by);
    for (const auto& profile : profiles_of(*strategy))
      risks.get(profile, source, "strategy " + name);
    return strategy;
  }
};

} // namespace backtest
