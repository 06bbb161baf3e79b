// What an operator may change while it runs: a server's state (ready, drain, maintenance) and its weight.
// It holds until the process ends; the configuration is not written.
#pragma once

#include <cstdint>

#include "app/admin_http.h"
#include "app/admin_log.h"
#include "app/servers_view.h"
#include "proxy/pool.h"

namespace breakwater::app {

// Does what the request's body says to one server and answers with its new row; or changes nothing and says
// what is wrong.
AdminAnswer change_server(const AdminRequest& request, proxy::SharedPool& pool, const NamedServer& named,
                          const Moment& moment, AdminLog& log);

}  // namespace breakwater::app
