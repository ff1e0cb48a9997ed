#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backtest {

/// Which end of a connection the bytes come from.
enum class frame_sender : std::uint8_t { server, client };

/// What a version of CAF expects of the headers of its protocol (BASP); their layout is the same in
/// 0.17 and 1.x.
struct frame_rules {
  std::uint64_t version = 0;                ///< of the protocol, as a server announces it
  std::uint32_t longest_payload = 16 << 20; ///< bytes that one header may announce
};

/// Looks at the headers of one direction of a connection before they reach CAF, which takes memory
/// for what they announce and does not survive some of them. A plain value.
class frame_check {
public:
  static constexpr std::size_t header_bytes = 32;
  /// A handshake, and what is said of an actor's end, are short.
  static constexpr std::uint32_t longest_notice = 64 << 10;

  frame_check(frame_rules rules, frame_sender sender) : rules_(rules), sender_(sender) {}

  /// Of the bytes that wait to be passed on, how many may be. The others are to be handed in again
  /// with what comes behind them; a header passes as a whole. Nothing more passes once there is a
  /// problem.
  std::size_t passable(std::string_view waiting);
  /// Why the connection must end.
  const std::optional<std::string>& problem() const noexcept { return problem_; }

private:
  void look_at(std::string_view header);

  frame_rules rules_;
  frame_sender sender_;
  std::uint32_t payload_left_ = 0;
  unsigned handshakes_ = 0;
  std::optional<std::string> problem_;
};

} // namespace backtest
