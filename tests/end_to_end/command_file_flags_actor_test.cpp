// Every flag that names a file or directory, with everything that can be wrong with one: the
// command ends with 1 or 2 and names it, in bounded time and memory. With BACKTEST_EVERY_FILE_FLAG
// in the environment every command is tried with everything, which takes a few minutes.

#include "tests/support/command.hpp"
#include "tests/support/command_files.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/sanitizers.hpp"
#include "tests/support/tls_peer.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include <doctest/doctest.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::bytes_of;
using backtest::test::temporary_folder;

namespace {

namespace fs = std::filesystem;

using command_words = std::vector<std::string>;

/// Stands in a command line for the file that is tried.
const std::string placeholder = "%";

/// A command that has hung is killed, which is neither 1 nor 2.
const command_words with_deadline{"timeout", "--signal=KILL", "300"};

/// Permissions mean nothing to root, so root tries them as somebody else.
const command_words as_nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};

command_words with_more(command_words first, const command_words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// Whether files can be made that the command may not open.
bool has_permissions() {
  if (::geteuid() != 0)
    return true;
  const bool usable = run_command({"--version"}, {}, as_nobody).status == 0;
  if (!usable)
    MESSAGE("permissions are not tried: nobody else can run the command");
  return usable;
}

enum class file_access : std::uint8_t { usual, restricted };

command_result run_with(const command_words& command, const fs::path& file, file_access allowed,
                        const command_words& environment = {}) {
  auto arguments = command;
  for (auto& word : arguments)
    if (word == placeholder)
      word = file.string();
  const bool as_other = allowed == file_access::restricted && ::geteuid() == 0;
  return run_command(arguments, environment,
                     as_other ? with_more(with_deadline, as_nobody) : with_deadline);
}

void check_file_refused(const command_result& result, const std::string& name) {
  CHECK_MESSAGE((result.status == 1 || result.status == 2), result.status << ": " << result.err);
  CHECK_MESSAGE(contains(result.err + result.out, name), result.err); // faults are results
  for (const char* crash : {"Assertion", "terminate called", "Sanitizer", "runtime error:"})
    CHECK_MESSAGE(!contains(result.err, crash), result.err);
  constexpr long most_kilobytes = 1024 * 1024;
  if (!is_sanitized)
    CHECK(result.peak_kilobytes < most_kilobytes);
}

std::string repeatable_garbage(std::size_t length) {
  std::string bytes;
  std::uint32_t state = 12345;
  for (std::size_t i = 0; i < length; ++i) {
    state = state * 1664525u + 1013904223u;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

void make_huge(const fs::path& file) {
  std::ofstream{file}.close();
  fs::resize_file(file, std::uintmax_t{4} << 30); // sparse
}

struct bad_file {
  std::string what;
  fs::path path;
  file_access allowed = file_access::usual;
};

/// What may stand where a file with the content `sound` is read; `name` is what they are called.
std::vector<bad_file> bad_files(const temporary_folder& folder, const std::string& sound,
                                const std::string& name, bool has_to_be_full = true) {
  const auto in = [&](const std::string& kind) {
    const auto path = folder / kind / name;
    fs::create_directories(path.parent_path());
    return path;
  };
  const auto with = [&](const std::string& kind, const std::string& content) {
    const auto path = in(kind);
    std::ofstream{path, std::ios::binary} << content;
    return path;
  };
  std::vector<bad_file> files{{"half", with("half", sound.substr(0, sound.size() / 2))},
                              {"garbage", with("garbage", repeatable_garbage(4096))},
                              {"NUL bytes", with("zeros", std::string(65536, '\0'))},
                              {"huge", in("huge")},
                              {"a directory", in("directory")},
                              {"beneath a file", with("file", sound) / name}};
  make_huge(files[3].path);
  fs::create_directories(files[4].path);
  if (has_to_be_full) {
    files.push_back({"missing", in("missing")});
    files.push_back({"empty", with("empty", "")});
    files.push_back({"without end", "/dev/zero"});
  }
  if (has_permissions()) {
    files.push_back({"unreadable", with("unreadable", sound), file_access::restricted});
    fs::permissions(files.back().path, fs::perms::none);
  }
  return files;
}

/// Commands read a kind of file in the same way: the first of a list is tried with everything, the
/// others with one file that is not there and one that is not what it should be, unless the
/// environment asks for all.
bool tries_everything() { return std::getenv("BACKTEST_EVERY_FILE_FLAG") != nullptr; }

bool is_tried(const bad_file& file, bool is_first) {
  return is_first || tries_everything() || file.what == "beneath a file" || file.what == "garbage";
}

void check_all_refused(const std::vector<command_words>& commands,
                       const std::vector<bad_file>& files) {
  for (const auto& command : commands)
    for (const auto& file : files) {
      if (!is_tried(file, &command == &commands.front()))
        continue;
      CAPTURE(fmt::format("{}", fmt::join(command, " ")));
      CAPTURE(file.what);
      // What is in the way of a directory is named where that is all there is to say.
      const auto named = file.what == "beneath a file" ? file.path.parent_path() : file.path;
      check_file_refused(run_with(command, file.path, file.allowed), named.string());
    }
}

/// Everything sound, to be replaced by something bad one at a time.
class sound_files {
public:
  explicit sound_files(const std::string& name) : folder(name) {
    fs::permissions(folder / "", fs::perms::all);
    folder.write("BTCUSDT.csv", flat_csv(420));
    config = folder.write("config.json", with_walker(csv_configuration({"BTCUSDT"})));
  }

  static std::string with_walker(std::string configuration) {
    configuration.erase(configuration.rfind('}'));
    return configuration +
           R"(, "walkers": [ { "name": "w", "exchange": "csv", "frame": "hours",
                              "strategies": ["grid"] } ] })";
  }

  std::string data_directory() const { return folder / "data"; }

  temporary_folder folder;
  std::string config;
};

/// Every command that reads the candles of a configuration, which is given as the placeholder.
std::vector<command_words> configured_commands(const sound_files& files) {
  const auto replayed = (files.folder / "live").string();
  const auto events = (files.folder / "events.jsonl").string();
  if (!fs::exists(events))
    REQUIRE(run_command({"run", "--config", files.config, "--events", events}).status == 0);
  return {{"run", "--config", placeholder},
          {"live", "--config", placeholder, "--data-dir", replayed, "--clock", "replay", "--speed",
           "max"},
          {"walk", "--config", placeholder, "--walker", "w"},
          {"parity", "--config", placeholder},
          {"check", "--config", placeholder},
          {"candles", "check", "--config", placeholder},
          {"candles", "export", "--config", placeholder, "--symbol", "BTCUSDT", "-o", "-"},
          {"report", "--config", placeholder, "--events", events}};
}

/// Also those that only take its parameters.
std::vector<command_words> all_configured_commands(const sound_files& files) {
  auto commands = configured_commands(files);
  commands.push_back({"candles", "import", files.folder / "BTCUSDT.csv", "--symbol", "BTCUSDT",
                      "-o", "-", "--config", placeholder});
  commands.push_back({"candles", "synth", "--symbol", "A", "--seed", "1", "--from", "2024-01-01",
                      "--to", "2024-01-02", "-o", "-", "--config", placeholder});
  return commands;
}

std::string gzip_of(const std::string& text) {
  std::string out(text.size() + 1024, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zip_of(const temporary_folder& folder, const std::string& text) {
  const auto path = folder / "archive.zip";
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(archive != nullptr);
  REQUIRE(zip_file_add(archive, "candles.csv",
                       zip_source_buffer(archive, text.data(), text.size(), 0), 0) >= 0);
  REQUIRE(zip_close(archive) == 0);
  return bytes_of(path);
}

/// Klines as Binance's archives have them; cut in half, within a row.
std::string kline_rows(int minutes) {
  std::string text;
  for (int i = 0; i < minutes; ++i) {
    const auto open = test::new_year + i * minute_ms;
    text += fmt::format("{},100,101,99,100,1,{},100,1,1,100,0\n", open, open + minute_ms - 1);
  }
  return text;
}

/// Commands and flags of --help that take a file or a directory: "candles import --data-dir".
std::set<std::string> file_flags_of_help() {
  const std::vector<command_words> commands{{"run"},
                                            {"live"},
                                            {"walk"},
                                            {"parity"},
                                            {"demo"},
                                            {"status"},
                                            {"tap"},
                                            {"control"},
                                            {"report"},
                                            {"check"},
                                            {"list"},
                                            {"candles", "import"},
                                            {"candles", "export"},
                                            {"candles", "check"},
                                            {"candles", "synth"},
                                            {"plugin", "build"}};
  const std::set<std::string> kinds{"FILE", "DIR", "FILE.cpp", "P.so"};
  std::set<std::string> flags;
  for (const auto& command : commands) {
    const auto help = run_command(with_more(command, {"--help"}));
    REQUIRE(help.status == 0);
    for (const auto& line : lines_of(help.out)) {
      std::istringstream in{line};
      std::string name, kind;
      if (line.starts_with("  ") && in >> name >> kind &&
          kinds.contains(kind.substr(0, kind.find('='))))
        flags.insert(
            fmt::format("{} {}", fmt::join(command, " "), name.substr(name.find_last_of(',') + 1)));
    }
  }
  return flags;
}

} // namespace

TEST_CASE("file flags: each of --help is tried here") {
  std::set<std::string> known{"report --events",      "report --html",
                              "report --markdown",    "candles import files",
                              "candles import --out", "candles import --data-dir",
                              "candles export --out", "candles export --data-dir",
                              "candles check files",  "candles synth --out",
                              "plugin build file",    "plugin build --out",
                              "status --data-dir",    "tap --data-dir",
                              "live --data-dir",      "run --data-dir",
                              "walk --data-dir",      "demo --reports",
                              "list --plugin"};
  for (const char* command : {"live", "tap", "control"})
    for (const char* flag : {"--tls-cert", "--tls-key", "--tls-ca"})
      known.insert(fmt::format("{} {}", command, flag));
  known.insert({"tap --secret", "control --secret"});
  for (const char* command : {"run", "live", "walk", "demo"})
    for (const char* flag : {"--events", "--trades", "--html", "--reports"})
      known.insert(fmt::format("{} {}", command, flag));
  for (const char* command : {"run", "live", "walk", "parity", "check", "report", "candles import",
                              "candles export", "candles check", "candles synth"})
    for (const char* flag : {"--config", "--plugin"})
      known.insert(fmt::format("{} {}", command, flag));
  CHECK(fmt::format("{}", fmt::join(file_flags_of_help(), "\n")) ==
        fmt::format("{}", fmt::join(known, "\n")));
}

TEST_CASE("file flags: a configuration that is no configuration") {
  const sound_files sound{"file_flags_config"};
  check_all_refused(all_configured_commands(sound),
                    bad_files(sound.folder, bytes_of(sound.config), "config.json"));
}

TEST_CASE("file flags: a plugin that is no plugin") {
  const sound_files sound{"file_flags_plugin"};
  const auto files = bad_files(sound.folder, bytes_of(breakout_plugin()), "plugin.so");
  std::vector<command_words> commands{{"list", "--plugin", placeholder}};
  for (auto command : all_configured_commands(sound)) {
    for (auto& word : command)
      if (word == placeholder)
        word = sound.config;
    commands.push_back(with_more(std::move(command), {"--plugin", placeholder}));
  }
  check_all_refused(commands, files);
}

TEST_CASE("file flags: events that are none") {
  const sound_files sound{"file_flags_events"};
  const auto events = (sound.folder / "events.jsonl").string();
  REQUIRE(run_command({"run", "--config", sound.config, "--ticks", "--events", events}).status ==
          0);
  check_all_refused({{"report", "--events", placeholder},
                     {"report", "--events", placeholder, "--html", sound.folder / "page.html"},
                     {"report", "--events", placeholder, "--markdown", sound.folder / "markdown"}},
                    bad_files(sound.folder, bytes_of(events), "events.jsonl"));
}

TEST_CASE("file flags: candles that are none, given by themselves") {
  const sound_files sound{"file_flags_candles"};
  const auto csv = flat_csv(420);
  for (const auto& [name, content] :
       std::vector<std::pair<std::string, std::string>>{{"candles.csv", csv},
                                                        {"klines.csv", kline_rows(421)},
                                                        {"candles.csv.gz", gzip_of(csv)},
                                                        {"candles.zip", zip_of(sound.folder, csv)}})
    check_all_refused({{"candles", "check", placeholder},
                       {"candles", "import", placeholder, "--symbol", "BTCUSDT", "-o", "-"},
                       {"candles", "import", placeholder, "--symbol", "BTCUSDT", "--exchange",
                        "csv", "--data-dir", sound.data_directory()}},
                      bad_files(sound.folder, content, name));
}

TEST_CASE("file flags: candles that are none, named by a configuration") {
  const sound_files sound{"file_flags_configured_candles"};
  const auto commands = configured_commands(sound);
  for (const auto& file : bad_files(sound.folder, flat_csv(420), "candles.csv")) {
    auto text = sound_files::with_walker(csv_configuration({"BTCUSDT"}));
    text.replace(text.find("BTCUSDT.csv"), 11, file.path.string());
    const auto config = sound.folder.write("bad_candles.json", text);
    for (const auto& command : commands) {
      if (!is_tried(file, &command == &commands.front()))
        continue;
      CAPTURE(fmt::format("{}", fmt::join(command, " ")));
      CAPTURE(file.what);
      fs::remove_all(sound.folder / "live"); // the other one's
      check_file_refused(run_with(command, config, file.allowed), file.path.string());
    }
  }
}

TEST_CASE("file flags: a source of a plugin that is none") {
  const sound_files sound{"file_flags_source"};
  const std::string source =
      "extern \"C\" unsigned backtest_plugin_abi() {\n  return 1;\n}\nint cut_here = 1;\n";
  check_all_refused({{"plugin", "build", placeholder, "-o", sound.folder / "built.so"}},
                    bad_files(sound.folder, source, "plugin.cpp"));
}

TEST_CASE("file flags: outputs that cannot be written") {
  const sound_files sound{"file_flags_outputs"};
  const auto& folder = sound.folder;
  const std::string events = folder / "events.jsonl";
  REQUIRE(run_command({"run", "--config", sound.config, "--events", events}).status == 0);
  folder.write("taken", "");
  fs::create_directories(folder / "directory");
  fs::create_directories(folder / "closed");
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec |
                                         fs::perms::others_read | fs::perms::others_exec);
  folder.write("read_only", "kept");
  fs::permissions(folder / "read_only", fs::perms::owner_read | fs::perms::others_read);
  std::vector<bad_file> directories{{"a file", folder / "taken"},
                                    {"beneath a file", folder / "taken" / "below"}};
  std::vector<bad_file> files{{"a directory", folder / "directory"},
                              {"beneath a file", folder / "taken" / "below"},
                              {"a full device", "/dev/full"}};
  const bad_file nowhere{"in a directory that is missing", folder / "no" / "out"};
  if (has_permissions()) {
    directories.push_back({"closed", folder / "closed", file_access::restricted});
    directories.push_back(
        {"beneath a closed one", folder / "closed" / "x", file_access::restricted});
    files.push_back({"in a closed directory", folder / "closed" / "out", file_access::restricted});
    files.push_back({"read-only", folder / "read_only", file_access::restricted});
  }
  const command_words run{"run", "--config", sound.config};
  const command_words walk{"walk", "--config", sound.config, "--walker", "w"};
  const command_words demo{"demo", "--out", folder / "demo"};
  command_words live{"live",    "--config",   sound.config,
                     "--clock", "replay",     "--speed",
                     "max",     "--data-dir", (folder / "open").string()};
  fs::create_directories(folder / "open");
  fs::create_directories(folder / "demo");
  for (const char* name : {"open", "demo"})
    fs::permissions(folder / name, fs::perms::all);
  std::vector<command_words> file_commands{
      {"candles", "synth", "--symbol", "A", "--seed", "1", "--from", "2024-01-01", "--to",
       "2024-01-02", "-o", placeholder},
      {"candles", "import", folder / "BTCUSDT.csv", "--symbol", "BTCUSDT", "-o", placeholder},
      {"candles", "export", "--config", sound.config, "--symbol", "BTCUSDT", "-o", placeholder}};
  std::vector<command_words> creating_commands{
      {"report", "--events", events, "--html", placeholder}};
  std::vector<command_words> directory_commands{
      {"report", "--events", events, "--markdown", placeholder}, {"demo", "--out", placeholder}};
  for (const auto& command : {run, walk, live}) {
    for (const char* flag : {"--events", "--trades"})
      file_commands.push_back(with_more(command, {flag, placeholder}));
    creating_commands.push_back(with_more(command, {"--html", placeholder}));
    directory_commands.push_back(with_more(command, {"--reports", placeholder}));
  }
  check_all_refused(file_commands, files);
  check_all_refused(file_commands, {nowhere});
  check_all_refused(creating_commands, files);
  check_all_refused(directory_commands, directories);
  // What fails before it begins: a whole demonstration would take long.
  auto early = files;
  std::erase_if(early, [](const bad_file& file) { return file.path == "/dev/full"; });
  for (const char* flag : {"--events", "--trades", "--html"})
    check_all_refused({with_more(demo, {flag, placeholder})}, early);
  CHECK(bytes_of(folder / "read_only") == "kept");
}

TEST_CASE("file flags: a library that cannot be written") {
  const sound_files sound{"file_flags_library"};
  const auto source = sound.folder.write("empty.cpp", "");
  fs::create_directories(sound.folder / "directory");
  sound.folder.write("taken", "");
  check_all_refused({{"plugin", "build", source, "-o", placeholder}},
                    {{"a directory", sound.folder / "directory"},
                     {"beneath a file", sound.folder / "taken" / "x.so"},
                     {"in a directory that is missing", sound.folder / "no" / "x.so"}});
}

TEST_CASE("file flags: certificates, keys and secrets that are none") {
  const sound_files sound{"file_flags_proofs"};
  const auto& folder = sound.folder;
  make_certificates(folder / "");
  const command_words tap{"tap", "--connect", "127.0.0.1:1"};
  const command_words control{"control",  "--connect", "127.0.0.1:1", "pause",
                              "--symbol", "A",         "--strategy",  "B"};
  const command_words live{"live",         "--config",  sound.config, "--clock",
                           "replay",       "--speed",   "max",        "--data-dir",
                           folder / "tls", "--publish", "127.0.0.1:0"};
  const std::vector<std::pair<std::string, std::string>> flags{
      {"--tls-cert", "desk.pem"}, {"--tls-key", "desk.key"}, {"--tls-ca", "ca.pem"}};
  fs::permissions(folder / "desk.key", fs::perms::all);
  for (const auto& [tried, sound_name] : flags) {
    std::vector<command_words> commands;
    for (auto command : {tap, control, live}) {
      for (const auto& [flag, name] : flags) {
        command.push_back(flag);
        command.push_back(flag == tried ? placeholder : (folder / name).string());
      }
      commands.push_back(std::move(command));
    }
    check_all_refused(commands, bad_files(folder, bytes_of(folder / sound_name), sound_name));
  }
  const std::string digits(64, 'a');
  check_all_refused(
      {with_more(tap, {"--secret", placeholder}), with_more(control, {"--secret", placeholder})},
      bad_files(folder, digits, "gate.secret"));
}

TEST_CASE("file flags: a cursor that is none") {
  const sound_files sound{"file_flags_cursor"};
  const auto data = sound.data_directory();
  REQUIRE(run_command({"live", "--config", sound.config, "--clock", "replay", "--speed", "max",
                       "--data-dir", data})
              .status == 0);
  const auto state_of = [&](const fs::path& cursor) {
    return fmt::format("XDG_STATE_HOME={}",
                       cursor.parent_path().parent_path().parent_path().string());
  };
  const command_words tap{"tap", "--data-dir", data, "--cursor", "desk"};
  REQUIRE(run_command(tap, {state_of(sound.folder / "sound/backtest/cursors/desk")}).status == 0);
  const auto number = bytes_of(sound.folder / "sound/backtest/cursors/desk");
  REQUIRE(!number.empty());
  for (const auto& file : bad_files(sound.folder, number, "state/backtest/cursors/desk", false)) {
    if (file.allowed == file_access::restricted)
      continue; // its directory lets nobody in: the same as beneath a file
    CAPTURE(file.what);
    check_file_refused(run_command(tap, {state_of(file.path)}, with_deadline), file.path.string());
  }
}

TEST_CASE("file flags: a data directory that is none, or damaged") {
  const sound_files sound{"file_flags_data"};
  const auto& folder = sound.folder;
  const std::string market = R"({
    "config": { "get_candles_retry_count": 1 },
    "exchanges": [ { "name": "kept", "type": "binance", "base_url": "http://127.0.0.1:1" } ],
    "frames": [ { "name": "hours", "start": "2024-01-02T02:00:00Z", "end": "2024-01-02T05:59:00Z" } ],
    "strategies": [ { "name": "grid", "type": "time_grid" } ],
    "walkers": [ { "name": "w", "exchange": "kept", "frame": "hours", "strategies": ["grid"] } ] })";
  const std::string fetching = folder.write("market.json", market);
  const auto candles = folder.write("days.csv", flat_csv(4 * 1440));
  const command_words importing{"candles",    "import", candles, "--symbol",   "BTCUSDT",
                                "--exchange", "kept",   "-q",    "--data-dir", placeholder};
  const auto original = folder / "original";
  REQUIRE(run_with(importing, original, file_access::usual).status == 0);
  REQUIRE(run_command({"live", "--config", sound.config, "--clock", "replay", "--speed", "max",
                       "--data-dir", original})
              .status == 0);
  const std::vector<command_words> reading{{"status", "--data-dir", placeholder},
                                           {"tap", "--data-dir", placeholder}};
  const std::vector<command_words> writing{importing,
                                           {"live", "--config", sound.config, "--clock", "replay",
                                            "--speed", "max", "--data-dir", placeholder}};
  const std::vector<command_words> keeping{
      {"run", "--config", fetching, "--symbol", "BTCUSDT", "--data-dir", placeholder},
      {"walk", "--config", fetching, "--walker", "w", "--symbol", "BTCUSDT", "--data-dir",
       placeholder},
      {"candles", "export", "--config", fetching, "--symbol", "BTCUSDT", "--from", "2024-01-01",
       "--to", "2024-01-02", "-o", "-", "--data-dir", placeholder}};
  const auto everybody = [&](const std::vector<bad_file>& directories) {
    check_all_refused(reading, directories);
    check_all_refused(writing, directories);
    check_all_refused(keeping, directories);
  };
  for (const auto& command : keeping)
    REQUIRE(run_with(command, original, file_access::usual).status == 0);

  folder.write("taken", "");
  std::vector<bad_file> places{{"a file", folder / "taken"},
                               {"beneath a file", folder / "taken" / "below"}};
  check_all_refused(reading, {{"missing", folder / "missing"}});
  if (has_permissions()) {
    fs::copy(original, folder / "closed", fs::copy_options::recursive);
    fs::permissions(folder / "closed", fs::perms::none);
    places.push_back({"closed", folder / "closed", file_access::restricted});
  }
  everybody(places);

  std::vector<std::string> essential{"CURRENT"};
  for (const auto& file : fs::directory_iterator{original})
    if (file.path().filename().string().starts_with("MANIFEST"))
      essential.push_back(file.path().filename().string());
  const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> damages{
      {"missing", [](const fs::path& file) { fs::remove(file); }},
      {"empty", [](const fs::path& file) { fs::resize_file(file, 0); }},
      // Within the first record: cut further behind, a manifest may be a whole one of earlier.
      {"cut",
       [](const fs::path& file) {
         fs::resize_file(file, std::min<std::uintmax_t>(fs::file_size(file) / 2, 48));
       }},
      {"garbage",
       [](const fs::path& file) {
         std::ofstream{file, std::ios::binary} << repeatable_garbage(4096);
       }},
      {"NUL bytes",
       [](const fs::path& file) {
         std::ofstream{file, std::ios::binary} << std::string(4096, '\0');
       }},
      {"huge",
       [](const fs::path& file) {
         fs::remove(file);
         make_huge(file);
       }},
      {"a directory", [](const fs::path& file) {
         fs::remove(file);
         fs::create_directory(file);
       }}};
  for (const auto& name : essential)
    for (const auto& [what, damage] : damages) {
      if (what == "huge" && name != "CURRENT")
        continue; // it is read to its end, which ends, but takes seconds
      const auto damaged = folder / "damaged";
      const auto fresh_copy = [&, damage = damage] {
        fs::remove_all(damaged);
        fs::copy(original, damaged, fs::copy_options::recursive);
        damage(damaged / name);
      };
      for (const auto& commands : {reading, writing, keeping})
        for (const auto& command : commands) {
          if (&command != &commands.front() && !tries_everything())
            continue;
          fresh_copy();
          check_all_refused({command}, {{name + ": " + what, damaged}});
        }
    }
}
