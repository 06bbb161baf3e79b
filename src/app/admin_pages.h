// Which page or verb of the admin listener a request is for. docs/admin.md lists them for operators.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "app/admin_http.h"
#include "app/admin_log.h"
#include "app/servers_view.h"
#include "proxy/pool.h"

namespace breakwater::app {

class AdminPages {
 public:
  // What makes the text of a page.
  using Text = std::function<std::string()>;
  struct Texts {
    Text metrics, operations, queue;
  };
  // All of it is used on the admin thread.
  AdminPages(Texts texts, std::deque<proxy::SharedPool>& pools, AdminLog& log);

  AdminAnswer answer(const AdminRequest& request);
  void set_draining() noexcept {
    draining_.store(true);
  }  // from any thread: /healthz answers 503 from now on

 private:
  AdminAnswer health() const;
  AdminAnswer server(const AdminRequest& request);
  Moment moment() const;

  Texts texts_;
  std::deque<proxy::SharedPool>& pools_;
  AdminLog& log_;
  const int64_t started_ns_;
  std::atomic<bool> draining_{false};
};

}  // namespace breakwater::app
