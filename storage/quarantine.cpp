#include "storage/quarantine.hpp"

#include "messages/json_reader.hpp"
#include "storage/store_key.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::string_view folder = "quarantine";

/// Bytes as JSON text where that gives them back; a corrupt row may hold any.
void write_bytes(json_writer& out, std::string_view name, const std::string& bytes) {
  std::string text;
  json_writer{text}.string(bytes);
  if (parse_json(text).get_string() == bytes) {
    out.key(name).string(bytes);
    return;
  }
  std::string digits;
  for (char c : bytes)
    digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  out.key(std::string{name} + "_hexadecimal").string(digits);
}

std::string read_bytes(const json_reader& in, std::string_view name) {
  if (const auto plain = in.optional_text(name))
    return *plain;
  const auto digits = in.text(std::string{name} + "_hexadecimal");
  constexpr std::string_view alphabet = "0123456789abcdef";
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const auto high = alphabet.find(digits[i]);
    const auto low = alphabet.find(digits[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos)
      in.fail_at(name, "expected hexadecimal digits");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

} // namespace

void quarantine_row(store_batch& batch, const store_entry& row, std::string_view reason,
                    instant now) {
  std::string kept;
  json_writer out{kept};
  out.begin_object().key("reason").string(reason).key("time").integer(now);
  write_bytes(out, "key", row.key);
  write_bytes(out, "value", row.value);
  out.end_object();
  const auto time = number_key_part(static_cast<std::uint64_t>(std::max<instant>(now, 0)));
  batch.erase(store_space::state, row.key);
  batch.put(store_space::state, make_store_key({folder, time, row.key}), kept);
}

std::vector<quarantined_row> list_quarantine(const store_reader& from) {
  std::vector<quarantined_row> rows;
  for (auto& [key, value] : from.scan(store_space::state, make_store_prefix({folder}))) {
    quarantined_row row;
    row.kept_under = key;
    try {
      const auto document = parse_json(value);
      const json_reader in{document};
      row.reason = in.text("reason");
      row.time = in.integer("time");
      row.key = read_bytes(in, "key");
      row.value = read_bytes(in, "value");
    } catch (const failure& problem) {
      row.reason = fmt::format("the row in the quarantine is damaged too: {}", problem.what());
      row.value = std::move(value);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

} // namespace backtest
