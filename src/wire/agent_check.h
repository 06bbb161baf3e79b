// What an agent beside a server says of it, in the words of HAProxy's agent-check: one line, its words
// separated by spaces, tabs or commas, in any order and any case of letters; what follows '#' is for people.
// Of two words of one sort the last counts; words that nobody knows are passed over. Pure; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace breakwater::wire {

struct AgentAnswer {
  enum class Health : uint8_t { unsaid, up, down };  // "failed" and "stopped" are down as well
  enum class Order : uint8_t { unsaid, ready, drain, maintenance };

  Health health = Health::unsaid;
  Order order = Order::unsaid;
  std::optional<uint32_t> weight_percent;   // "75%", of the configured weight
  std::optional<uint32_t> connections_max;  // "maxconn:30"
  std::string_view reason;                  // behind '#', as it came
  bool says_anything() const noexcept {
    return health != Health::unsaid || order != Order::unsaid || weight_percent || connections_max;
  }
};

inline constexpr size_t agent_line_bytes_max = 255;    // without its end
inline constexpr uint32_t agent_percent_max = 25'600;  // more counts as that

// Where the line in `bytes` ends; std::string_view::npos while its end has not come.
size_t end_of_agent_line(std::string_view bytes) noexcept;
AgentAnswer parse_agent_line(std::string_view line) noexcept;

}  // namespace breakwater::wire
