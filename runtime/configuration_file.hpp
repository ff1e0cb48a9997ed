#pragma once

#include "messages/configuration.hpp"
#include "runtime/exchange_factories.hpp"
#include "runtime/schemas.hpp"
#include "runtime/type_registry.hpp"

#include <filesystem>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace backtest {

/// What a configuration file says. `raw` is the document as it was read.
struct loaded_configuration {
  configuration parameters;
  schema_set schemas;
  boost::json::object raw;
};

/// Reads a configuration file; relative paths in it are relative to its directory. Throws `failure`
/// at the first thing that is wrong: `not_found` for a risk profile that does not exist, else
/// `invalid_configuration`, also for a file that cannot be read. The message begins with the file's
/// name and names line and column, or the JSON path as in `strategies[0].params.fast`, and what was
/// expected. Names in walkers are resolved when a walker runs.
loaded_configuration
load_configuration(const std::filesystem::path& file, const type_registry& types,
                   const exchange_factories& factories = default_exchange_factories());

/// The same for a text; `file_name` is what messages call it.
loaded_configuration
parse_configuration(std::string_view text, const std::filesystem::path& directory,
                    std::string_view file_name, const type_registry& types,
                    const exchange_factories& factories = default_exchange_factories());

} // namespace backtest
