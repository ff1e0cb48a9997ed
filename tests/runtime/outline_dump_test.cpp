#include "runtime/outline_dump.hpp"

#include "messages/error.hpp"
#include "messages/json_text.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace backtest;
using namespace backtest::testing;
namespace fs = std::filesystem;

namespace {

struct outline_scratch : scratch_directory {
  outline_options options;

  explicit outline_scratch(const char* name) : scratch_directory(name) { options.directory = path; }
};

signal_request sample_signal() {
  signal_request signal;
  signal.price_open = 42000.5;
  signal.price_take_profit = 43000;
  signal.price_stop_loss = 41000;
  signal.note = "say \"hi\", {a:[1]}";
  return signal;
}

const std::vector<outline_message> history{{message_role::system, "You trade."},
                                           {message_role::user, "Candles: 1, 2, 3"},
                                           {message_role::assistant, "Analysed."},
                                           {message_role::system, "Answer in JSON."},
                                           {message_role::user, "Now the signal."}};

struct heard_warnings : logger {
  std::vector<std::string> lines;
  bool enabled(log_level) const noexcept override { return true; }
  void write(log_level level, std::string_view, std::string_view payload,
             const log_context&) override {
    CHECK(level == log_level::warn);
    lines.emplace_back(payload);
  }
};

} // namespace

TEST_CASE("outline dump: a conversation, word for word") {
  const outline_scratch scratch("outline");
  const fs::path written = dump_outline("r1", history, sample_signal(), scratch.options);
  CHECK(written == scratch.options.directory / "r1");
  CHECK(names_in(written) == std::vector<std::string>{"00_system_prompt.md", "01_user_message.md",
                                                      "02_assistant_message.md",
                                                      "03_user_message.md", "04_llm_output.md"});
  const std::string signal = "```json\n" + indented_json(to_json_text(sample_signal())) + "\n```\n";
  CHECK(content_of(written / "00_system_prompt.md") == "# Outline Result Summary\n"
                                                       "\n"
                                                       "**Result ID:** r1  \n"
                                                       "\n"
                                                       "## Output Data\n"
                                                       "\n" +
                                                           signal +
                                                           "\n"
                                                           "## System Messages\n"
                                                           "\n"
                                                           "### System Message 1\n"
                                                           "\n"
                                                           "You trade.\n"
                                                           "\n"
                                                           "### System Message 2\n"
                                                           "\n"
                                                           "Answer in JSON.\n");
  CHECK(content_of(written / "01_user_message.md") == "# User Message 1\n"
                                                      "\n"
                                                      "**Result ID:** r1  \n"
                                                      "\n"
                                                      "Candles: 1, 2, 3\n");
  CHECK(content_of(written / "02_assistant_message.md") == "# Assistant Message 2\n"
                                                           "\n"
                                                           "**Result ID:** r1  \n"
                                                           "\n"
                                                           "Analysed.\n");
  CHECK(content_of(written / "04_llm_output.md") ==
        "# Full Outline Result\n\n**Result ID:** r1  \n\n" + signal);
  CHECK(names_in(scratch.options.directory) == std::vector<std::string>{"r1"});
}

TEST_CASE("outline dump: no signal, no messages") {
  const outline_scratch scratch("outline_empty");
  const fs::path written = dump_outline("r1", {}, std::nullopt, scratch.options);
  CHECK(names_in(written) == std::vector<std::string>{"00_system_prompt.md", "01_llm_output.md"});
  CHECK(content_of(written / "00_system_prompt.md") ==
        "# Outline Result Summary\n\n**Result ID:** r1  \n");
  CHECK(content_of(written / "01_llm_output.md") ==
        "# Full Outline Result\n\n**Result ID:** r1  \n\nNo signal.\n");
}

TEST_CASE("outline dump: what is there stays as it is") {
  const outline_scratch scratch("outline_twice");
  const fs::path written = dump_outline("r1", history, std::nullopt, scratch.options);
  const std::string before = content_of(written / "00_system_prompt.md");
  CHECK(dump_outline("r1", {}, sample_signal(), scratch.options) == written);
  CHECK(content_of(written / "00_system_prompt.md") == before);
  CHECK(names_in(written).size() == 5);
}

TEST_CASE("outline dump: a half-written one of the past is no obstacle") {
  const outline_scratch scratch("outline_crash");
  fs::create_directories(scratch.options.directory / "r1.tmp0");
  const fs::path written = dump_outline("r1", history, std::nullopt, scratch.options);
  CHECK(names_in(written).size() == 5);
  CHECK(names_in(scratch.options.directory) == std::vector<std::string>{"r1", "r1.tmp0"});
}

TEST_CASE("outline dump: hostile ids stay within the directory, and on one line") {
  const outline_scratch scratch("outline_hostile");
  for (const char* id : {"../../etc/passwd", "a/b", "..", "", "näive\nid|x"}) {
    const fs::path written = dump_outline(id, history, std::nullopt, scratch.options);
    CHECK(written.parent_path() == scratch.options.directory);
    CHECK(fs::exists(written / "05_llm_output.md") == false);
    CHECK(fs::exists(written / "04_llm_output.md"));
  }
  CHECK(names_in(scratch.options.directory).size() == 5);
  const fs::path written = dump_outline("näive\nid|x", {}, std::nullopt, scratch.options);
  CHECK(content_of(written / "00_system_prompt.md").find("**Result ID:** näive id|x  \n") !=
        std::string::npos);
}

TEST_CASE("outline dump: a note cannot end the fence around the signal") {
  const outline_scratch scratch("outline_fence");
  signal_request signal = sample_signal();
  signal.note = "```\n# pwned";
  const fs::path written = dump_outline("r1", {}, signal, scratch.options);
  const std::string text = content_of(written / "01_llm_output.md");
  CHECK(text.find("````json\n{") != std::string::npos);
  CHECK(text.ends_with("}\n````\n"));
  CHECK(text.find("\n# pwned") == std::string::npos);
}

TEST_CASE("outline dump: large messages are written, with a warning") {
  outline_scratch scratch("outline_large");
  const auto warnings = std::make_shared<heard_warnings>();
  scratch.options.log = warnings;
  const std::vector<outline_message> large{{message_role::user, std::string(20 * 1024 + 1023, 'x')},
                                           {message_role::user, std::string(21 * 1024, 'y')}};
  const fs::path written = dump_outline("r1", large, std::nullopt, scratch.options);
  CHECK(warnings->lines ==
        std::vector<std::string>{"result r1: user message of 21 KiB, more than 20"});
  CHECK(fs::file_size(written / "02_user_message.md") > 21 * 1024);
  scratch.options.warn_above_kib = 100;
  dump_outline("r2", large, std::nullopt, scratch.options);
  CHECK(warnings->lines.size() == 1);
}

TEST_CASE("outline dump: many messages keep their order") {
  const outline_scratch scratch("outline_many");
  std::vector<outline_message> many(120, {message_role::assistant, "x"});
  const auto names = names_in(dump_outline("r1", many, std::nullopt, scratch.options));
  CHECK(names.size() == 122);
  CHECK(std::count(names.begin(), names.end(), "09_assistant_message.md") == 1);
  CHECK(std::count(names.begin(), names.end(), "120_assistant_message.md") == 1);
  CHECK(std::count(names.begin(), names.end(), "121_llm_output.md") == 1);
}

TEST_CASE("outline dump: a directory that cannot be made is an error, and nothing is left") {
  const outline_scratch scratch("outline_error");
  fs::create_directories(scratch.options.directory);
  std::ofstream(scratch.options.directory / "file") << "x";
  outline_options options = scratch.options;
  options.directory /= "file";
  CHECK_THROWS_WITH_AS(dump_outline("r1", history, std::nullopt, options),
                       doctest::Contains("cannot write"), failure);
  CHECK(names_in(scratch.options.directory) == std::vector<std::string>{"file"});
}

TEST_CASE("outline dump: indented JSON is the same JSON") {
  const std::string dense = R"({"a":1,"b":[],"c":{},"d":[1,{"e":"x,{\"]\\"}]})";
  const std::string indented = R"({
  "a": 1,
  "b": [],
  "c": {},
  "d": [
    1,
    {
      "e": "x,{\"]\\"
    }
  ]
})";
  CHECK(indented_json(dense) == indented);
  CHECK(indented_json("") == "");
  CHECK(from_json_text<signal_request>(indented_json(to_json_text(sample_signal()))) ==
        sample_signal());
}
