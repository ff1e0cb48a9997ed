#include "runtime/html_report.hpp"
#include "runtime/text_file.hpp"
#include "tests/runtime/sample_walk.hpp"
#include "tests/support/child_process.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// What a browser made of a page, and what it complained about.
struct opened_page {
  std::string dom;
  std::string complaints;
};

bool has_browser() { return std::system("command -v chromium > /dev/null 2>&1") == 0; }

/// Opens a file in headless Chromium; more flags go in front of its address.
opened_page open_page(const scratch_directory& folder, const std::string& page,
                      const std::string& flags = "") {
  const auto file = write_text_file(folder.path, "page.html", page);
  const auto log = folder.path / "log.txt";
  child_process browser{
      {"sh", "-c",
       fmt::format("exec timeout -s KILL 100 chromium --headless --no-sandbox --disable-gpu "
                   "--hide-scrollbars --enable-logging=stderr --v=0 --virtual-time-budget=5000 "
                   "--user-data-dir='{}' {} --dump-dom 'file://{}' 2> '{}'",
                   (folder.path / "profile").string(), flags, file.string(), log.string())}};
  opened_page opened;
  for (std::string line; browser.read_line(line);)
    opened.dom += line + '\n';
  browser.wait();
  std::string text = content_of(log);
  for (std::size_t at = text.find("CONSOLE"); at != std::string::npos;
       at = text.find("CONSOLE", at + 1))
    opened.complaints += text.substr(at, text.find('\n', at) - at) + '\n';
  return opened;
}

/// Two symbols with names that try to be markup, an error, a refusal, so many trades.
html_report busy_report(int trades) {
  html_report report;
  report.gates = gates_of({});
  report.facts.symbols = {"AAA", "</script><b>\"'&"};
  report.facts.configuration = "{ \"a\": \"</pre></script>\" }";
  const std::vector<shared_identity> runs{identity("AAA"), identity("</script><b>\"'&", "東京 🚀")};
  for (int i = 0; i < trades; ++i) {
    const instant open = t0 + i * 37 * minute_ms;
    report.apply(
        {topic::signal_backtest, closed_trade(runs[static_cast<std::size_t>(i % 2)],
                                              {open,
                                               open + 55 * minute_ms,
                                               (i * 7919 % 401 - 190) / 173.0,
                                               {},
                                               {},
                                               static_cast<std::uint64_t>(i)},
                                              i % 3 == 0 ? "<i>note</i> \u2028 </script>" : "")});
  }
  risk_event refused;
  refused.run = runs.front();
  refused.comment = "<u>no</u>";
  refused.timestamp = t0;
  report.apply({topic::risk, refused});
  report.apply({topic::error, error_event{error_code::data_gap, "<s>gap</s>", "", t0, runs[1]}});
  return report;
}

} // namespace

TEST_CASE("html report in a browser: scripts run, nothing complains, the counts are those given") {
  if (!has_browser()) {
    MESSAGE("skipped: chromium is not installed");
    return;
  }
  const scratch_directory folder{"html_report_browser"};
  for (const int trades : {0, 1, 999}) {
    CAPTURE(trades);
    const auto opened = open_page(folder, html_page(busy_report(trades)));
    CHECK_MESSAGE(opened.complaints.empty(), opened.complaints);
    CHECK(contains(opened.dom, "data-script=\"done\""));
    CHECK_FALSE(contains(opened.dom, "data-script-error="));
    CHECK(contains(opened.dom, fmt::format("data-key=\"total_signals\">{}<", trades)));
    if (trades > 0)
      CHECK(contains(opened.dom, fmt::format("data-matching=\"{}\"", trades)));
    // What was written as text is text: none of its tags became an element.
    for (const auto* tag : {"<b>\"", "<i>", "<u>", "<s>gap"})
      CHECK_FALSE_MESSAGE(contains(opened.dom, tag), tag);
    CHECK(contains(opened.dom, "&lt;u&gt;no&lt;/u&gt;"));
  }
}

TEST_CASE("html report in a browser: the page of a walk") {
  if (!has_browser()) {
    MESSAGE("skipped: chromium is not installed");
    return;
  }
  const scratch_directory folder{"html_report_browser_walk"};
  const auto report =
      walk_report_of("</script><u>", {{"slow", {1, 1}}, {"<i>quick", returns_a}, {"idle", {}}});
  const auto opened = open_page(folder, html_page(report));
  CHECK_MESSAGE(opened.complaints.empty(), opened.complaints);
  CHECK(contains(opened.dom, "data-script=\"done\""));
  CHECK_FALSE(contains(opened.dom, "data-script-error="));
  CHECK(contains(opened.dom, "data-key=\"total_signals\">12<"));
  CHECK(contains(opened.dom, "data-matching=\"12\"")); // of the winner alone
  for (const auto* tag : {"<u>", "<i>"})
    CHECK_FALSE_MESSAGE(contains(opened.dom, tag), tag);
}

TEST_CASE("html report in a browser: sorting, filters and zoom work") {
  if (!has_browser()) {
    MESSAGE("skipped: chromium is not installed");
    return;
  }
  const scratch_directory folder{"html_report_browser_use"};
  auto page = html_page(busy_report(999));
  const std::string use = R"(<script>
    const [needle, symbol, strategy, side] = document.querySelectorAll('.filters input, .filters select');
    side.value = 'short';
    side.dispatchEvent(new Event('input', {bubbles: true}));
    const short = document.querySelector('#trades table').dataset.matching;
    side.value = '';
    needle.value = '<i>note';
    needle.dispatchEvent(new Event('input', {bubbles: true}));
    const notes = document.querySelector('#trades table').dataset.matching;
    document.querySelectorAll('#trades th button')[10].click();
    const best = document.querySelector('#trades tbody td.up').textContent;
    const plot = document.querySelector('.plot svg'), whole = plot.getAttribute('viewBox');
    document.querySelector('.tools button[title="Zoom in"]').click();
    const zoomed = plot.getAttribute('viewBox');
    document.querySelector('.tools button:last-child').click();
    const box = document.querySelector('.plot').getBoundingClientRect();
    document.querySelector('.plot').dispatchEvent(
      new PointerEvent('pointermove', {clientX: box.left + 50, clientY: box.top + 50}));
    document.body.append(`USED short ${short} notes ${notes} best ${best} zoom ${whole !== zoomed} ` +
      `back ${plot.getAttribute('viewBox') === whole} tip ${!document.getElementById('tip').hidden} ` +
      `wide ${document.documentElement.scrollWidth <= innerWidth}`);
  </script></body>)";
  page.replace(page.rfind("</body>"), 7, use);
  const auto opened = open_page(folder, page, "--window-size=500,900");
  CHECK_MESSAGE(opened.complaints.empty(), opened.complaints);
  const auto at = opened.dom.find("USED short 4");
  CHECK_MESSAGE(contains(opened.dom, "USED short 499 notes 333 best +1.2"),
                opened.dom.substr(at == std::string::npos ? opened.dom.size() : at, 200));
  CHECK(contains(opened.dom, "zoom true back true tip true wide true"));
}

TEST_CASE("html report in a browser: printed, it shows the prices of every symbol, and asks for no clicks") {
  if (!has_browser()) {
    MESSAGE("skipped: chromium is not installed");
    return;
  }
  const scratch_directory folder{"html_report_browser_print"};
  auto page = html_page(busy_report(40));
  // What the rules for paper say is looked up as if the screen were paper.
  for (auto at = page.find("@media print"); at != std::string::npos; at = page.find("@media print"))
    page.replace(at, 12, "@media all");
  const std::string use = R"(<script>
    const seen = [...document.querySelectorAll('.prices')].filter(p => p.getClientRects().length);
    const count = document.querySelector('.filters output').getClientRects().length;
    const needle = document.querySelector('.filters input').getClientRects().length;
    const hints = [...document.querySelectorAll('.screen')];
    const clicks = hints.filter(hint => hint.getClientRects().length);
    document.body.append(`PRINTED ${seen.length} of ${document.querySelectorAll('.prices').length} ` +
      `count ${count} needle ${needle} hints ${clicks.length} of ${hints.length}`);
  </script></body>)";
  page.replace(page.rfind("</body>"), 7, use);
  const auto opened = open_page(folder, page);
  CHECK_MESSAGE(contains(opened.dom, "PRINTED 2 of 2 count 1 needle 0 hints 0 of 3"),
                opened.dom.substr(opened.dom.size() > 300 ? opened.dom.size() - 300 : 0));
}

TEST_CASE("html report in a browser: a complaint would have been noticed") {
  if (!has_browser()) {
    MESSAGE("skipped: chromium is not installed");
    return;
  }
  const scratch_directory folder{"html_report_browser_complaint"};
  auto page = html_page({});
  page.replace(page.rfind("</body>"), 7,
               "<img src=\"https://example.org/\"><script>throw Error('broken')</script></body>");
  const auto opened = open_page(folder, page);
  CHECK(contains(opened.complaints, "broken"));
  CHECK(contains(opened.complaints, "Content Security Policy"));
  CHECK(contains(opened.dom, "data-script-error=\"Uncaught Error: broken\""));
}
