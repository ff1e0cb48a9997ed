#include "messages/own_actor_system.hpp"

#include <doctest/doctest.h>

#if !BACKTEST_CAF_MODERN // CAF 1.x has words of its own

using namespace backtest;

namespace {

enum class ledger_error : std::uint8_t { none, unknown, closed, full };

caf::error error_of_ledger(ledger_error code, caf::message context = {}) {
  return {static_cast<std::uint8_t>(code), caf::atom("ledger"), std::move(context)};
}

} // namespace

TEST_CASE("errors of CAF: words, not numbers") {
  CHECK(text_of(caf::error{}) == "no error");
  CHECK(text_of(caf::make_error(caf::sec::request_receiver_down)) == "request_receiver_down");
  CHECK(text_of(caf::make_error(caf::sec::request_timeout)) == "request_timeout");
  CHECK(text_of(caf::make_error(caf::exit_reason::user_shutdown)) == "user_shutdown");
  CHECK(text_of(caf::make_error(caf::exit_reason::unhandled_exception)) == "unhandled_exception");
  CHECK(text_of(caf::make_error(caf::pec::trailing_character)) == "trailing_character");
}

TEST_CASE("errors of CAF: what they say beside it is kept") {
  CHECK(text_of(caf::make_error(caf::sec::invalid_argument, "prices: negative")) ==
        "invalid_argument: prices: negative");
  CHECK(text_of(caf::make_error(caf::sec::cannot_open_port, "bind", 4711)) ==
        "cannot_open_port: (\"bind\", 4711)");
}

TEST_CASE(
    "errors of a program's own kind: by name and number, in its words where the system has them") {
  const auto full = error_of_ledger(ledger_error::full);
  CHECK(text_of(full) == "error 3 of ledger");
  CHECK(text_of(error_of_ledger(ledger_error::full, caf::make_message(std::string{"1 TB"}))) ==
        "error 3 of ledger: 1 TB");
  own_actor_system without{1};
  CHECK(text_of(without.get(), full) == "error 3 of ledger");
  own_actor_system with{1, [](caf::actor_system_config& configuration) {
                          configuration.add_error_category(
                              caf::atom("ledger"),
                              [](std::uint8_t code, caf::atom_value, const caf::message&) {
                                return code == 3 ? "the ledger is full" : "the ledger is closed";
                              });
                        }};
  CHECK(text_of(with.get(), full) == "the ledger is full");
  CHECK(text_of(with.get(), caf::make_error(caf::sec::request_timeout)) == "request_timeout");
}

#endif
