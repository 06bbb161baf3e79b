// What operators changed while it ran: a line each in the access log's stream, and on standard error.
#pragma once

#include <string>
#include <string_view>

#include "app/log_writer.h"
#include "core/log_ring.h"

namespace breakwater::app {

struct AdminChange {
  std::string_view who;
  std::string_view pool;
  std::string_view server;
  std::string_view what;  // "state", "weight"
  std::string from;
  std::string to;
};

class AdminLog {
 public:
  // `ring` is the admin thread's own; `writer` drains it.
  AdminLog(LogRing& ring, LogWriter& writer) : ring_(ring), writer_(writer) {}
  void write(const AdminChange& change);

 private:
  LogRing& ring_;
  LogWriter& writer_;
};

}  // namespace breakwater::app
