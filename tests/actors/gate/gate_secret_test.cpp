#include "actors/gate/gate_secret.hpp"
#include "actors/gate/node_security.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/temporary_directory.hpp"

#include <algorithm>
#include <fstream>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

gate_key counting_key() {
  gate_key key{};
  for (std::size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<unsigned char>(i * 7);
  return key;
}

} // namespace

TEST_CASE("gate secret: kept once, for this user alone, and read again") {
  const temporary_directory folder;
  const auto file = folder.path() / gate_secret_name;
  keep_gate_secret(file, counting_key());
  keep_gate_secret(file, gate_key{});
  CHECK(read_gate_secret(file) == counting_key());
  struct stat known {};
  REQUIRE(::stat(file.c_str(), &known) == 0);
  CHECK((known.st_mode & 07777) == 0600);
  CHECK(known.st_size == 65);
  CHECK(std::distance(std::filesystem::directory_iterator{folder.path()}, {}) == 1);
}

TEST_CASE("gate secret: what others could have read or written is refused, and named") {
  const temporary_directory folder;
  const auto file = folder.path() / gate_secret_name;
  const auto refused = [&](const std::filesystem::path& name) {
    const auto problem = failure_of([&] { read_gate_secret(name); });
    CHECK(problem.code() == error_code::connection_failed);
    CHECK(std::string{problem.what()}.find(name.string()) != std::string::npos);
    CHECK(std::string{problem.what()}.find("expected the file that the node made") !=
          std::string::npos);
    return std::string{problem.what()};
  };
  CHECK(refused(file).find("No such file") != std::string::npos);
  keep_gate_secret(file, counting_key());
  ::chmod(file.c_str(), 0640);
  CHECK(refused(file).find("its mode 0640 lets others at it") != std::string::npos);
  ::chmod(file.c_str(), 0600);
  std::ofstream{file, std::ios::app} << '1';
  CHECK(refused(file).find("64 hexadecimal digits") != std::string::npos);
  std::ofstream{file} << std::string(63, 'a') << 'g';
  CHECK(refused(file).find("64 hexadecimal digits") != std::string::npos);
  std::filesystem::rename(file, folder.path() / "other");
  CHECK(refused(folder.path() / "other").find("it is not called gate.secret") != std::string::npos);
  std::filesystem::create_symlink(folder.path() / "other", file);
  CHECK(refused(file).find("it is a symbolic link") != std::string::npos);
  std::filesystem::remove(file);
  ::mkfifo(file.c_str(), 0600);
  CHECK(refused(file).find("it is not a regular file") != std::string::npos);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  refused(file);
  if (::geteuid() == 0) {
    std::filesystem::remove(file);
    keep_gate_secret(file, counting_key());
    REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
    CHECK(refused(file).find("it belongs to user 65534") != std::string::npos);
  }
}

TEST_CASE("gate secret: TLS files come together, and without a secret") {
  node_security security;
  require_consistent(security);
  security.tls_certificate = "a";
  CHECK(failure_of([&] { require_consistent(security); }).code() == error_code::invalid_argument);
  security.tls_key = "b";
  security.tls_authority = "c";
  require_consistent(security);
  security.secret = "d";
  CHECK(failure_of([&] { require_consistent(security); }).code() == error_code::invalid_argument);
}
