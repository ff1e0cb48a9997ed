#pragma once

namespace backtest {

/// The one argument a handler takes, without reference: what it must be sent.
template <class Handler> struct argument_of : argument_of<decltype(&Handler::operator())> {};
template <class Handler, class Value> struct argument_of<void (Handler::*)(const Value&) const> {
  using type = Value;
};

} // namespace backtest
