#include "actors/gate/gate_secret.hpp"

#include "actors/gate/node_security.hpp"
#include "messages/error.hpp"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace backtest {

namespace {

class open_handle {
public:
  explicit open_handle(int handle) : handle_(handle) {}
  ~open_handle() {
    if (handle_ >= 0)
      ::close(handle_);
  }
  open_handle(const open_handle&) = delete;
  open_handle& operator=(const open_handle&) = delete;
  int get() const noexcept { return handle_; }
  explicit operator bool() const noexcept { return handle_ >= 0; }

private:
  int handle_;
};

int digit_of(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

[[noreturn]] void refuse_secret(const std::filesystem::path& file, const std::string& what) {
  throw failure(error_code::connection_failed,
                fmt::format("the secret {}: {}; expected the file that the node made, read as the "
                            "user of the node (--secret names it), or certificates (--tls-cert, "
                            "--tls-key, --tls-ca)",
                            file.string(), what));
}

[[noreturn]] void cannot_keep(const std::filesystem::path& file, const char* what) {
  throw failure(error_code::io_failed, fmt::format("cannot {} the secret {}: {}", what,
                                                   file.string(), std::strerror(errno)));
}

void write_secret(const std::filesystem::path& file, const gate_key& fresh) {
  std::string text;
  for (const auto byte : fresh)
    text += fmt::format("{:02x}", byte);
  text += '\n';
  const open_handle made{
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!made)
    cannot_keep(file, "create");
  if (::fchmod(made.get(), 0600) != 0 ||
      ::write(made.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(made.get()) != 0)
    cannot_keep(file, "write");
}

} // namespace

gate_key read_gate_secret(const std::filesystem::path& file) {
  if (file.filename() != gate_secret_name)
    refuse_secret(file, fmt::format("it is not called {}", gate_secret_name));
  // Not blocking: what is named might be a pipe.
  const open_handle opened{::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!opened)
    refuse_secret(file, errno == ELOOP ? "it is a symbolic link" : std::strerror(errno));
  struct stat known {};
  if (::fstat(opened.get(), &known) != 0)
    refuse_secret(file, std::strerror(errno));
  if (!S_ISREG(known.st_mode))
    refuse_secret(file, "it is not a regular file");
  if (known.st_uid != ::geteuid() && known.st_uid != 0)
    refuse_secret(file, fmt::format("it belongs to user {}", known.st_uid));
  constexpr mode_t of_others = 0077;
  if ((known.st_mode & of_others) != 0)
    refuse_secret(
        file, fmt::format("its mode {:04o} lets others at it (chmod 600)", known.st_mode & 07777U));
  gate_key key{};
  std::array<char, 2 * std::tuple_size_v<gate_key> + 2> text{};
  const auto count = ::read(opened.get(), text.data(), text.size());
  bool is_sound =
      count == static_cast<ssize_t>(2 * key.size()) ||
      (count == static_cast<ssize_t>(2 * key.size() + 1) && text[2 * key.size()] == '\n');
  for (std::size_t i = 0; is_sound && i < key.size(); ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    is_sound = high >= 0 && low >= 0;
    key[i] = static_cast<unsigned char>(high * 16 + low);
  }
  if (!is_sound)
    refuse_secret(file, "it does not hold 64 hexadecimal digits");
  return key;
}

void keep_gate_secret(const std::filesystem::path& file, const gate_key& fresh) {
  struct stat known {};
  if (::lstat(file.c_str(), &known) == 0)
    return;
  // Whole or not there at all, also when the machine stops in between.
  auto unfinished = file;
  unfinished += ".new";
  if (::unlink(unfinished.c_str()) != 0 && errno != ENOENT)
    cannot_keep(unfinished, "replace");
  write_secret(unfinished, fresh);
  if (::rename(unfinished.c_str(), file.c_str()) != 0)
    cannot_keep(file, "name");
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  const open_handle folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || ::fsync(folder.get()) != 0)
    cannot_keep(file, "make durable");
}

std::string read_proof_file(std::string_view flag, const std::filesystem::path& file) {
  constexpr std::size_t most_file_bytes = 1 << 20;
  const auto refuse = [&](std::string_view what) {
    throw failure(error_code::io_failed,
                  fmt::format("{} {}: {}, expected a PEM file", flag, file.string(), what));
  };
  const open_handle opened{::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  struct stat known {};
  if (!opened || ::fstat(opened.get(), &known) != 0)
    refuse(std::strerror(errno));
  if (!S_ISREG(known.st_mode))
    refuse("it is not a regular file");
  if (known.st_size > static_cast<off_t>(most_file_bytes))
    refuse(fmt::format("it has {} bytes", known.st_size));
  std::string content(static_cast<std::size_t>(known.st_size), '\0');
  std::size_t filled = 0;
  while (filled < content.size()) {
    const auto count = ::read(opened.get(), content.data() + filled, content.size() - filled);
    if (count < 0)
      refuse(std::strerror(errno));
    if (count == 0)
      break;
    filled += static_cast<std::size_t>(count);
  }
  content.resize(filled);
  return content;
}

void require_consistent(const node_security& security) {
  const int given = (security.tls_certificate.empty() ? 0 : 1) +
                    (security.tls_key.empty() ? 0 : 1) + (security.tls_authority.empty() ? 0 : 1);
  if (given != 0 && given != 3)
    throw failure(error_code::invalid_argument,
                  "TLS needs three files, expected --tls-cert, --tls-key and --tls-ca together");
  if (given != 0 && !security.secret.empty())
    throw failure(error_code::invalid_argument,
                  "--secret: not together with --tls-cert; a connection is proven by certificates "
                  "or by the secret");
}

} // namespace backtest
