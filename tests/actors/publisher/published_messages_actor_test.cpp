#include "actors/contracts.hpp"
#include "tests/support/numbered_journal.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

template <class Message>
void check_comes_back(const Message& message, const std::string& text) {
  CHECK(to_json_text(message) == text);
  Message back;
  REQUIRE(!read_json_text(text, back));
  CHECK(back == message);
}

template <class Message>
void check_refused(std::initializer_list<const char*> texts) {
  for (const auto* text : texts) {
    CAPTURE(text);
    Message message;
    const auto why = read_json_text(text, message);
    REQUIRE(why);
    CHECK(!why->empty());
  }
}

/// Of a question or an answer, which arrives.
template <class Message>
error problem_in(const std::string& text, std::optional<error> Message::*problem) {
  CAPTURE(text);
  Message message;
  CHECK(!read_json_text(text, message));
  REQUIRE(message.*problem);
  return *(message.*problem);
}

} // namespace

TEST_CASE("published messages: their text, and that it comes back equal") {
  check_comes_back(
      tap_request{{{topic::risk, topic::error}, {"BTC \"x\""}, {"a", "b"}}, 17, 256, true},
      R"({"topics":["risk","error"],"symbols":["BTC \"x\""],"strategies":["a","b"],)"
      R"("from":17,"credit":256,"ends":true})");
  check_comes_back(tap_request{}, R"({"credit":0,"ends":false})");
  check_comes_back(journal_batch{3, 9, {{7, R"({"seq":7})"}, {8, R"({"seq":8})"}}},
                   "{\"id\":3,\"next\":9,\"numbers\":[7,8]}\n{\"seq\":7}\n{\"seq\":8}");
  check_comes_back(journal_batch{3, 1001, {}}, R"({"id":3,"next":1001,"numbers":[]})");
  check_comes_back(journal_ended{3, 9, std::nullopt}, R"({"id":3,"next":9})");
  check_comes_back(journal_ended{3, 9, error{error_code::journal_truncated, "gone"}},
                   R"({"id":3,"next":9,"problem":{"code":"journal_truncated","message":"gone"}})");
  check_comes_back(journal_followed{1, {4, 10}, std::nullopt}, R"({"id":1,"first":4,"last":10})");
  check_comes_back(grant_credit{1, 20}, R"({"id":1,"lines":20})");
  check_comes_back(unfollow_journal{1}, R"({"id":1})");
  control_run order;
  REQUIRE(!read_json_text(R"({"strategy_name":"grid","symbol":"BTC","command":"close"})", order));
  CHECK(order.command == operator_command::close);
  CHECK(to_json_text(order) == R"({"strategy_name":"grid","symbol":"BTC","command":"close"})");
  const std::string repeated = R"({"strategy_name":"grid","symbol":"BTC","command":"close",)"
                               R"("id":"a1","asked_ms_ago":5,"only_asks":true})";
  REQUIRE(!read_json_text(repeated, order));
  CHECK(order.id == "a1");
  CHECK(order.asked_ms_ago == 5);
  CHECK(order.only_asks);
  CHECK(to_json_text(order) == repeated);
  run_controlled answer;
  REQUIRE(!read_json_text(R"({"taken_ms_ago":7})", answer));
  CHECK(answer.taken_ms_ago == 7);
  CHECK(to_json_text(answer) == R"({"taken_ms_ago":7})");
  REQUIRE(!read_json_text(to_json_text(run_controlled{error{error_code::not_found, "x"}}), answer));
  CHECK(answer.problem == error{error_code::not_found, "x"});
}

TEST_CASE("published messages: what is no such text is refused with the reason, and changes nothing") {
  check_refused<journal_batch>({"{}", R"({"id":-1,"next":1,"numbers":[]})",
                                R"({"id":1,"next":1,"numbers":[1]})",
                                "{\"id\":1,\"next\":1,\"numbers\":[]}\n{\"seq\":7}",
                                "{\"id\":1,\"next\":1,\"numbers\":[1]}\n{\"seq\":7}\n{}"});
  grant_credit unchanged{4, 5};
  CHECK(read_json_text(R"({"id":7,"lines":"all"})", unchanged) ==
        R"(lines: expected an integer, got "all")");
  CHECK(unchanged == grant_credit{4, 5});
}

TEST_CASE("published messages: a question or an answer that is none says so itself") {
  for (const auto* text : {"", "[]", R"({"credit":"many"})", R"({"credit":1,"symbols":[1]})"})
    CHECK(problem_in(text, &tap_request::unreadable).code == error_code::invalid_argument);
  CHECK(problem_in(R"({"credit":1,"topics":["signals"]})", &tap_request::unreadable).message ==
        "tap_request: topics: expected a topic, got \"signals\"");
  CHECK(problem_in(R"({"id":1})", &journal_ended::problem).message.find("journal_ended: next") == 0);
  problem_in(R"({"id":1,"next":1,"problem":"bad"})", &journal_ended::problem);
  problem_in("{}", &journal_followed::problem);
  problem_in(R"({"problem":1})", &run_controlled::problem);
  CHECK(problem_in(R"({"strategy_name":"grid","symbol":"BTC","command":"sell"})",
                   &control_run::unreadable)
            .message.find("control_run: command: expected pause, resume, cancel or close") == 0);
  const auto of_command = [&](const std::string& more) {
    return problem_in(R"({"strategy_name":"grid","symbol":"BTC","command":"close",)" + more + "}",
                      &control_run::unreadable)
        .message;
  };
  CHECK(of_command(R"("id":")" + std::string(65, 'a') + '"')
            .find("control_run: id: expected at most "
                  "64 characters, got 65") == 0);
  CHECK(of_command(R"("id":"a","asked_ms_ago":-1)")
            .find("control_run: asked_ms_ago: expected 0 to") == 0);
}
