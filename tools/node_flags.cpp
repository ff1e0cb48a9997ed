#include "tools/node_flags.hpp"

#include "messages/error.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace backtest::tools {

node_address address_of(std::string_view flag, const std::string& text) {
  if (auto address = parse_node_address(text))
    return *address;
  throw failure(error_code::invalid_argument,
                fmt::format("{}: expected HOST:PORT, or a port from 0 to 65535 on 127.0.0.1, got "
                            "\"{}\"",
                            flag, text));
}

void add_security(CLI::App& command, node_security& security, bool connects) {
  command.add_option("--tls-cert", security.tls_certificate, "Certificate of this side (PEM)")
      ->type_name("FILE");
  command.add_option("--tls-key", security.tls_key, "Its key")->type_name("FILE");
  command
      .add_option("--tls-ca", security.tls_authority,
                  "Who signed the certificates of the other side")
      ->type_name("FILE");
  if (connects)
    command
        .add_option("--secret", security.secret,
                    "The node's gate.secret, where it is not the file that the node names")
        ->type_name("FILE");
}

void require_usable(const node_security& security, std::string_view counterpart, bool is_given) {
  const std::pair<std::string_view, bool> given[]{{"--tls-cert", !security.tls_certificate.empty()},
                                                  {"--tls-key", !security.tls_key.empty()},
                                                  {"--tls-ca", !security.tls_authority.empty()},
                                                  {"--secret", !security.secret.empty()},
                                                  {"--insecure", security.insecure}};
  for (const auto& [flag, is_used] : given)
    if (is_used && !is_given)
      throw failure(error_code::invalid_argument,
                    fmt::format("{}: only with {}", flag, counterpart));
  require_consistent(security);
}

void add_store(CLI::App& command, std::string& store) {
  command
      .add_option("--store", store, "rocksdb (in the data directory) or redis://HOST[:PORT][/DB]")
      ->check([](const std::string& text) {
        return text == "rocksdb" || text.starts_with("redis://")
                   ? std::string{}
                   : "expected rocksdb or redis://HOST[:PORT][/DB], got \"" + text + '"';
      })
      ->type_name("STORE");
}

std::filesystem::path redis_mark_path(const std::filesystem::path& data_directory) {
  return data_directory / "redis.mark";
}

void add_patience(CLI::App& command, std::chrono::milliseconds& patience) {
  constexpr double longest = 86'400;
  command
      .add_option_function<double>(
          "--patience",
          [&patience](double seconds) {
            patience = std::chrono::milliseconds{std::llround(seconds * 1000)};
          },
          fmt::format("Longest wait for a node that keeps replacing its files (default {})",
                      std::chrono::duration_cast<std::chrono::seconds>(patience).count()))
      ->check(CLI::Range(0.0, longest))
      ->type_name("SECONDS");
}

} // namespace backtest::tools
