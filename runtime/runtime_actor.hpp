#pragma once

#include "actors/contracts.hpp"

namespace backtest {

class runtime_core;

/// The actors that answer the messages of a runtime's facade.
struct message_facade_actors {
  runtime_front_actor front;
  runtime_starter_actor starter;
  runtime_reporter_actor reporter;
};

/// They work on `core`, which ends them and waits until they are gone before anything of it goes.
message_facade_actors spawn_message_facade(runtime_core& core, const shared_census& census);

} // namespace backtest
