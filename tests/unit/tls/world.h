// What tests of TLS have in common: certificates of an authority of their own, made once for each program,
// contexts with them, and a client and a server that speak to each other in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/context.h"
#include "tls/engine.h"
#include "unit/tls/certificates.h"

namespace breakwater::tls::testing {

// NAME.crt and NAME.key, and NAME.ocsp out of another file if there is one.
Pair pair(std::string_view name, std::string_view staple = {});
std::vector<Pair> pairs(const std::vector<std::string_view>& names);
Authorities authorities(std::string_view name, bool with_list = false);

std::shared_ptr<const Context> server_context(const std::vector<std::string_view>& names = {"git-ecdsa"});
std::shared_ptr<const Context> server_context(ContextSettings settings);
std::shared_ptr<const ClientContext> client_context(ClientContextSettings settings);
std::shared_ptr<const ClientContext> client_context(std::string_view authority = "ca.pem",
                                                    Version maximum = Version::tls13);
std::shared_ptr<const Context> server_context_with(std::shared_ptr<const TicketKeys> tickets,
                                                   const std::vector<std::string_view>& names = {
                                                       "git-ecdsa"});
// A client and a server with what is on its way between them.
class Wire {
 public:
  Wire(Engine& client, Engine& server) : client_(client), server_(server) {}

  // Both until neither gets further; `piece` is how many bytes arrive at a time.
  void shake_hands(size_t piece = 1 << 20);
  Engine::Step client_step = Engine::Step::wants_input;
  Engine::Step server_step = Engine::Step::wants_input;
  bool both_done() const { return client_step == Engine::Step::done && server_step == Engine::Step::done; }

  // Sends by one side and reads by the other; what came, and how its last step ended.
  std::string to_server(std::string_view text) { return carry(client_, server_, for_server, text); }
  std::string to_client(std::string_view text) { return carry(server_, client_, for_client, text); }
  Engine::Step last = Engine::Step::done;

  std::string for_server;  // on its way
  std::string for_client;

 private:
  std::string carry(Engine& from, Engine& to, std::string& way, std::string_view text);
  Engine& client_;
  Engine& server_;
};

// All that `engine` opens of `records`, which is emptied as far as it is taken; its answers are added to
// `back`.
std::string open_all(Engine& engine, std::string& records, std::string& back, Engine::Step& last);
std::string seal_all(Engine& engine, std::string_view text);

}  // namespace breakwater::tls::testing
