#include "runtime/report_actor.hpp"

#include "messages/calling_place.hpp"
#include "runtime/report_book.hpp"

namespace backtest {

namespace {

struct report_state {
  self_pointer<report_actor, report_state> self = nullptr;
  report_book book;

  void init(report_set enabled) { book.enable(enabled); }

  report_actor::behavior_type make_behavior() {
    return {
        [this](event_batch& batch) {
          for (auto& item : batch.events)
            book.apply(std::move(item));
          if (batch.idle)
            for (const auto& stretch : *batch.idle)
              book.apply(stretch);
          return batch_done{};
        },
        [this](const report_run_facts& message) {
          book.start(message.run, message.parameters);
          return report_answer{};
        },
        [this](const report_run_bounds& message) {
          book.set_bounds(*message.run,
                          {message.start, message.end, message.first_close, message.last_close});
          return report_answer{};
        },
        [this](const ask_report& message) {
          const place_mark inside{calling_place::report_column};
          message.work(book);
          return report_answer{};
        },
        [this](const clear_report& message) {
          if (message.run)
            book.clear(*message.run);
          else
            book.clear();
        },
    };
  }
};

} // namespace

report_actor spawn_reports(caf::actor_system& system, const shared_census& census,
                           report_set enabled) {
  return spawn_actor<report_state, report_actor>(system, census, enabled);
}

} // namespace backtest
