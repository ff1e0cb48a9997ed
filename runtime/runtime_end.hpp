#pragma once

#include <memory>

namespace backtest {

class own_actor_system;
class runtime_core;

/// Ends a runtime, on a thread of its own where the caller's is one that its end waits for. No
/// callback of a listener begins any more once it returns. `system`: null inside a foreign one,
/// which waits at its own end for what is left. Throws `std::system_error` when there can be no
/// thread, told in the log.
void end_runtime(std::unique_ptr<runtime_core> core, std::unique_ptr<own_actor_system> system);

} // namespace backtest
