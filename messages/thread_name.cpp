#include "messages/thread_name.hpp"

#include <array>

#include <pthread.h>

namespace backtest {

void name_this_thread(const char* name) noexcept {
  static_cast<void>(::pthread_setname_np(::pthread_self(), name)); // a help for people, no more
}

std::string name_of_this_thread() {
  std::array<char, 16> name{};
  if (::pthread_getname_np(::pthread_self(), name.data(), name.size()) != 0)
    return {};
  return name.data();
}

} // namespace backtest
