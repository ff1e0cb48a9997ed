#include "messages/configuration_parameters.hpp"
#include "messages/json.hpp"
#include "tools/commands.hpp"
#include "tools/selection.hpp"

#include <array>
#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct list_options {
  common_options common;
  std::vector<std::filesystem::path> plugins;
  std::string subject;
  bool json = false;
};

constexpr std::array<std::string_view, topic_count> topic_meanings{
    "every tick result, backtest and live",
    "tick results of live runs",
    "tick results of backtests: scheduled, opened, closed, cancelled; idle, waiting, active",
    "something went wrong and the run goes on",
    "a run ended because of an error",
    "a backtest of one strategy on one symbol is over",
    "a live run is over",
    "a walker is over",
    "how far a backtest has come",
    "how far a walker has come",
    "how far an optimizer has come",
    "durations of work",
    "a walker has judged one more strategy",
    "a walker's final ranking",
    "a user's risk rule threw",
    "an open position reached 10, 20, .. 100 % of the way to take profit",
    "an open position reached 10, 20, .. 100 % of the way to stop loss",
    "risk refused a signal",
    "an operator's command to a live run took effect"};

void append_parameters(std::string& text, const std::vector<parameter_info>& parameters) {
  for (const auto& item : parameters)
    text += fmt::format("      {:<24} {:<8} {}\n", item.name,
                        item.default_text.empty() ? "required" : item.default_text, item.meaning);
}

void write_parameters(json_writer& out, const std::vector<parameter_info>& parameters) {
  out.key("parameters").begin_array();
  for (const auto& item : parameters) {
    out.begin_object().key("name").string(item.name).key("default");
    if (item.default_text.empty())
      out.null();
    else
      out.raw(item.default_text);
    out.key("meaning").string(item.meaning).end_object();
  }
  out.end_array();
}

std::string strategies_text(runtime& target) {
  std::string text = "Strategy types (name, interval, meaning; parameters with their defaults):\n";
  for (const auto& type : target.types().strategy_types()) {
    text +=
        fmt::format("  {:<18} {:<4} {}\n", type.name, to_string(type.default_interval), type.note);
    append_parameters(text, type.parameters);
  }
  const auto complete = target.list_strategies();
  if (!complete.empty())
    text += "Complete strategies of plugins, for --strategy:\n";
  for (const auto& item : complete)
    text += fmt::format("  {:<18} {:<4} {}\n", item.strategy_name, to_string(item.size), item.note);
  return text;
}

std::string rules_text(runtime& target) {
  std::string text = "Risk rules (each may have a note; parameters with their defaults):\n";
  for (const auto& type : target.types().rule_types()) {
    text += fmt::format("  {:<24} {}\n", type.name, type.note);
    append_parameters(text, type.parameters);
  }
  return text;
}

std::string sizings_text(runtime&) {
  std::string text = "Sizing methods (parameters with their defaults):\n";
  for (const auto& type : sizing_method_types()) {
    text += fmt::format("  {:<18} {}\n", to_string(type.method), type.note);
    append_parameters(text, type.parameters);
  }
  return text;
}

std::string parameters_text(runtime&) {
  std::string text = "Parameters of \"config\" (name, default, range, meaning):\n";
  for (const auto& item : configuration_parameters())
    text += fmt::format("  {:<44} {:<10} {:<24} {}\n", item.name, item.default_text,
                        item.range_text, item.meaning);
  return text;
}

std::string topics_text(runtime&) {
  std::string text = "Topics:\n";
  for (std::size_t i = 0; i < topic_count; ++i)
    text += fmt::format("  {:<20} {}\n", to_string(static_cast<topic>(i)), topic_meanings[i]);
  return text;
}

void write_strategies(json_writer& out, runtime& target) {
  out.begin_array();
  for (const auto& type : target.types().strategy_types()) {
    out.begin_object().key("type").string(type.name).key("note").string(type.note);
    out.key("interval").string(to_string(type.default_interval));
    write_parameters(out, type.parameters);
    out.end_object();
  }
  for (const auto& item : target.list_strategies()) {
    out.begin_object().key("name").string(item.strategy_name).key("note").string(item.note);
    out.key("interval").string(to_string(item.size)).end_object();
  }
  out.end_array();
}

void write_rules(json_writer& out, runtime& target) {
  out.begin_array();
  for (const auto& type : target.types().rule_types()) {
    out.begin_object().key("type").string(type.name).key("note").string(type.note);
    write_parameters(out, type.parameters);
    out.end_object();
  }
  out.end_array();
}

void write_sizings(json_writer& out, runtime&) {
  out.begin_array();
  for (const auto& type : sizing_method_types()) {
    out.begin_object().key("method").string(to_string(type.method)).key("note").string(type.note);
    write_parameters(out, type.parameters);
    out.end_object();
  }
  out.end_array();
}

void write_configuration_parameters(json_writer& out, runtime&) {
  out.begin_array();
  for (const auto& item : configuration_parameters()) {
    out.begin_object().key("name").string(item.name).key("default").raw(item.default_text);
    out.key("range").string(item.range_text).key("meaning").string(item.meaning).end_object();
  }
  out.end_array();
}

void write_topics(json_writer& out, runtime&) {
  out.begin_array();
  for (std::size_t i = 0; i < topic_count; ++i) {
    out.begin_object().key("name").string(to_string(static_cast<topic>(i)));
    out.key("meaning").string(topic_meanings[i]).end_object();
  }
  out.end_array();
}

struct subject {
  std::string name;
  std::string (*text)(runtime&);
  void (*write)(json_writer&, runtime&);
};

const std::array<subject, 5>& subjects() {
  static const std::array<subject, 5> all{
      {{"strategies", &strategies_text, &write_strategies},
       {"rules", &rules_text, &write_rules},
       {"sizings", &sizings_text, &write_sizings},
       {"parameters", &parameters_text, &write_configuration_parameters},
       {"topics", &topics_text, &write_topics}}};
  return all;
}

int list(const list_options& options) {
  runtime target{options_of(options.common)};
  for (const auto& plugin : options.plugins)
    target.load_plugin(plugin);
  std::string text;
  json_writer out{text};
  if (options.json)
    out.begin_object();
  for (const auto& item : subjects()) {
    if (!options.subject.empty() && options.subject != item.name)
      continue;
    if (options.json) {
      out.key(item.name);
      item.write(out, target);
    } else {
      text += (text.empty() ? "" : "\n") + item.text(target);
    }
  }
  if (options.json) {
    out.end_object();
    text += '\n';
  }
  print_result(text);
  return exit_done;
}

} // namespace

void add_list_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<list_options>();
  auto& command = add_command(program, "list", "What exists, with parameters and defaults",
                              "  backtest list\n"
                              "  backtest list strategies --plugin ./my_strategy.so\n"
                              "  backtest list parameters --json",
                              options->common);
  std::vector<std::string> names;
  for (const auto& item : subjects())
    names.push_back(item.name);
  command.add_option("subject", options->subject, "What to list (default: everything)")
      ->check(CLI::IsMember(names));
  add_plugin_option(command, options->plugins);
  command.add_flag("--json", options->json, "As a JSON object");
  perform_when_chosen(command, chosen, options, &list);
}

} // namespace backtest::tools
