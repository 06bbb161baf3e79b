// OpenMetrics text (https://prometheus.io/docs/specs/om): counters end in _total, the text ends with # EOF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater::app {

class MetricsText {
 public:
  void counter(std::string_view name, std::string_view help, uint64_t value) {
    metric(name, "counter", "_total", help, value);
  }
  void gauge(std::string_view name, std::string_view help, uint64_t value) {
    metric(name, "gauge", "", help, value);
  }
  // The whole text; call once.
  std::string take() { return std::move(text_ += "# EOF\n"); }

 private:
  void metric(std::string_view name, std::string_view type, std::string_view suffix, std::string_view help,
              uint64_t value);
  std::string text_;
};

}  // namespace breakwater::app
