#include "app/admin_verbs.h"

#include <expected>
#include <nlohmann/json.hpp>
#include <string>

#include "app/server_change.h"

namespace breakwater::app {

using backends::Word;

AdminAnswer change_server(const AdminRequest& request, proxy::SharedPool& pool, const NamedServer& named,
                          const Moment& moment, AdminLog& log) {
  if (!request.may_change) {
    return {
        403,
        "nothing can be changed here: anybody on the network could. Bind [admin] to a loopback address or "
        "to a unix socket\n"};
  }
  const std::expected<ServerChange, std::string> change = read_server_change(request.body);
  if (!change) return {400, change.error() + "\n"};
  backends::PoolHealth& health = pool.health;
  const uint32_t server = named.index;
  AdminChange said{request.who, pool.config.name, named.name, "", "", ""};
  const Word word = health.server(server).operators_word();
  if (change->word && *change->word != word) {
    health.set_word(server, *change->word, moment.now_ns);
    said.what = "state";
    said.from = name(word);
    said.to = name(*change->word);
    log.write(said);
  }
  const uint32_t weight = health.server(server).said_weight();
  if (change->weight && *change->weight != weight) {
    health.set_weight(server, *change->weight);
    said.what = "weight";
    said.from = std::to_string(weight);
    said.to = std::to_string(*change->weight);
    log.write(said);
  }
  return {200, text_of(server_row(pool, named, moment)), "application/json"};
}

}  // namespace breakwater::app
