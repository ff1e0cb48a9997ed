#include "runtime/library_file.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <system_error>

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

template <class Value>
bool read_at(std::ifstream& in, std::uint64_t place, Value& value) {
  in.seekg(static_cast<std::streamoff>(place));
  return static_cast<bool>(in.read(reinterpret_cast<char*>(&value), sizeof value));
}

/// How long a library of this system must be for what the loader maps of it; 0 for any other file.
std::uint64_t length_needed(std::ifstream& in) {
  ElfW(Ehdr) header;
  if (!read_at(in, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_phentsize != sizeof(ElfW(Phdr)))
    return 0;
  auto needed = header.e_phoff + std::uint64_t{header.e_phnum} * sizeof(ElfW(Phdr));
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    if (!read_at(in, header.e_phoff + i * sizeof segment, segment))
      break; // the table itself is cut, and counted
    if (segment.p_type == PT_LOAD)
      needed = std::max<std::uint64_t>(needed, segment.p_offset + segment.p_filesz);
  }
  return needed;
}

} // namespace

std::string fault_of_library(const fs::path& library) {
  std::error_code unknown; // the loader says what is wrong
  if (!fs::exists(library, unknown))
    return {};
  if (!fs::is_regular_file(library, unknown))
    return "it is not a regular file, expected a shared library";
  const auto length = fs::file_size(library, unknown);
  std::ifstream in{library, std::ios::binary};
  const auto needed = length_needed(in);
  if (unknown || needed <= length)
    return {};
  return fmt::format("it is cut short: {} bytes, expected at least {}", length, needed);
}

} // namespace backtest
