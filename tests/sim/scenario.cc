#include "sim/scenario.h"

#include <algorithm>

namespace breakwater::sim {

namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : rng_(seed) {}
  uint64_t below(uint64_t bound) { return rng_.next() % bound; }
  bool one_in(uint64_t count) { return below(count) == 0; }
  uint64_t between(uint64_t low, uint64_t high) { return low + below(high - low + 1); }
  // Mostly small, sometimes large enough to be spliced.
  size_t body_bytes(bool large) {
    if (large && one_in(8)) return between(100'000, 400'000);
    const uint64_t roll = below(100);
    if (roll < 60) return below(1000);
    if (roll < 88) return below(20'000);
    if (roll < 98) return below(100'000);
    return between(100'000, 500'000);
  }

 private:
  Rng rng_;
};

// Bodies are slices of one stretch of noise, at a place that only this body has.
const std::string& noise() {
  static const std::string bytes = [] {
    Rng rng(42);
    std::string out(2 * 1024 * 1024, '\0');
    for (char& c : out) c = static_cast<char>(rng.next());
    return out;
  }();
  return bytes;
}

std::string noise_of(uint32_t id, size_t bytes) {
  const size_t place = (id * 2654435761ull) % (noise().size() - bytes);
  return noise().substr(place, bytes);
}

// What Git says, as gitprotocol-pack(5) and gitprotocol-v2(5) have it; object names and packs are noise.
constexpr std::string_view flush = "0000";
constexpr std::string_view delimiter = "0001";

std::string packet(std::string_view payload) {
  static constexpr char digits[] = "0123456789abcdef";
  const size_t length = payload.size() + 4;
  std::string out;
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(length >> shift) & 15];
  return out.append(payload);
}

std::string in_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// Lines that begin with `word` and hold an object's name, some `bytes` in all and at least one.
std::string lines_of_objects(std::string_view word, std::string_view rest, uint32_t id, size_t bytes) {
  const size_t line_bytes = word.size() + rest.size() + 45;
  const size_t lines = bytes / line_bytes + 1;
  const std::string names = noise_of(id, lines * 20);
  std::string out;
  for (size_t line = 0; line < lines; line++) {
    const std::string name = in_hex(std::string_view(names).substr(line * 20, 20));
    out += packet(std::string(word).append(name).append(rest).append(1, '\n'));
  }
  return out;
}

std::string refs(uint32_t id, size_t bytes) {
  return lines_of_objects("", " refs/heads/" + std::string(100, 'r'), id, bytes).append(flush);
}

// A pack, or a message (band 2), in the largest packets there are.
std::string in_band(char band, const std::string& payload) {
  std::string out;
  for (size_t at = 0; at < payload.size(); at += 65515)
    out += packet(std::string(1, band).append(payload, at, 65515));
  return out.append(flush);
}

// What Git says while it prepares a pack: sideband 2, and now and then an empty packet of sideband 1.
std::string progress_of(uint32_t seed, uint32_t packets) {
  std::string all;
  for (uint32_t count = 0; count < packets; count++) {
    const uint32_t each = seed + count;
    all += each % 5 == 0 ? packet("\x01")
                         : packet(
                               "\x02"
                               "Counting objects: " +
                               std::string(each % 90, '.') + "\r");
  }
  return all;
}

// What is common to a scenario's requests. Faults come from a few favourites, because what is rare meets what
// is rare only where both are frequent (swarm testing: Groce and others, ISSTA 2012).
struct Flavour {
  uint32_t repositories = 1;
  bool hostile = false;
  bool large = false;  // bodies
  std::vector<ServerFault> server_faults;
  std::vector<ClientFault> client_faults;
};

template <typename Fault>
void pick_favourites(Dice& dice, size_t kinds, std::vector<Fault>& favourites) {
  const uint64_t count = dice.one_in(3) ? kinds : dice.between(1, 3);
  for (uint64_t number = 0; number < count; number++) {
    const uint64_t kind = count == kinds ? number : dice.below(kinds);
    favourites.push_back(static_cast<Fault>(kind));
  }
}

// The requests of one clone, fetch or push, one after the other: what the first of them decides.
struct Operation {
  bool pushes = false;
  bool version_2 = false;
  uint32_t repository = 0;
  Kind kind_of(uint64_t number) const noexcept {
    if (number == 0) return pushes ? Kind::advertise_push : Kind::advertise_fetch;
    return pushes ? Kind::receive_pack : Kind::upload_pack;
  }
};

RequestPlan make_request(Dice& dice, uint32_t id, const Flavour& flavour, const Operation* operation,
                         uint64_t number) {
  RequestPlan plan;
  plan.id = id;
  plan.repository = static_cast<uint32_t>(dice.below(flavour.repositories));
  plan.version_2 = dice.one_in(2);
  static constexpr Kind often[] = {Kind::advertise_fetch, Kind::advertise_fetch, Kind::upload_pack,
                                   Kind::upload_pack,     Kind::advertise_push,  Kind::receive_pack,
                                   Kind::dumb_object,     Kind::web_page,        Kind::web_head,
                                   Kind::web_form,        Kind::lfs_upload};
  plan.kind = dice.one_in(40) ? Kind::websocket : often[dice.below(std::size(often))];
  plan.lists_refs = dice.one_in(3);
  plan.sideband = !dice.one_in(4);
  plan.done = !dice.one_in(4);
  plan.progress = id % 2 == 0 ? 0 : id / 2 % 12;
  if (operation != nullptr) {
    plan.kind = operation->kind_of(number);
    plan.version_2 = operation->version_2;
    plan.repository = operation->repository;
    plan.lists_refs = number == 1;
  }
  plan.answer_bytes = dice.body_bytes(flavour.large);
  const bool has_body = plan.is_git_post() || plan.kind == Kind::web_form || plan.kind == Kind::lfs_upload;
  if (has_body) {
    plan.request_bytes = plan.kind == Kind::upload_pack ? dice.below(3000) : dice.body_bytes(flavour.large);
    plan.request_framing = dice.one_in(2) ? Framing::length : Framing::chunked;
    plan.expects_continue = dice.one_in(6);
    if (plan.kind != Kind::upload_pack) plan.answer_bytes = dice.below(2000);
  }
  plan.login = !has_body && plan.kind != Kind::websocket && dice.one_in(8);
  plan.http_1_0 = !has_body && plan.kind != Kind::websocket && dice.one_in(25);
  plan.client_closes = dice.one_in(12);
  static constexpr Framing framings[] = {Framing::length, Framing::length, Framing::chunked, Framing::chunked,
                                         Framing::until_close};
  plan.answer_framing = framings[dice.below(std::size(framings))];
  static constexpr size_t chunks[] = {8184, 8192, 4096, 32768, 2048, 100, 1};
  plan.chunk = chunks[dice.below(plan.answer_bytes > 5000 ? 5 : std::size(chunks))];
  plan.upper_case = dice.one_in(3);
  plan.extension = dice.one_in(10);
  plan.trailer = dice.one_in(10);
  plan.server_closes = plan.answer_framing == Framing::until_close || dice.one_in(10);
  plan.interim = dice.one_in(10) ? static_cast<uint32_t>(dice.between(1, 3)) : 0;
  if (plan.kind == Kind::web_page && dice.one_in(8)) {
    plan.status = dice.one_in(2) ? 204 : 304;
    plan.answer_framing = Framing::none;
    plan.answer_bytes = 0;
  } else if (dice.one_in(20)) {
    plan.status = 403;
  }
  if (plan.kind == Kind::websocket) {
    plan.status = 101;
    plan.answer_framing = Framing::none;
    plan.request_bytes = dice.body_bytes(flavour.large);
    plan.answer_bytes = 0;
    plan.http_1_0 = plan.client_closes = plan.server_closes = false;
    plan.interim = 0;
  }
  if (flavour.hostile && plan.kind != Kind::websocket) {
    if (dice.one_in(5)) plan.server_fault = flavour.server_faults[dice.below(flavour.server_faults.size())];
    if (dice.one_in(6)) plan.client_fault = flavour.client_faults[dice.below(flavour.client_faults.size())];
  } else if (dice.one_in(15)) {
    plan.server_fault = ServerFault::closes_soon_after;
  }
  plan.fault_once = plan.id % 2 == 0;
  // What would be no fault at all, or could not be told from an answer that is whole.
  const bool no_body = plan.answer_framing == Framing::none || plan.kind == Kind::web_head;
  ServerFault& fault = plan.server_fault;
  const bool in_body = fault == ServerFault::closes_in_body || fault == ServerFault::resets_in_body ||
                       fault == ServerFault::stalls_in_body;
  if (in_body && no_body) fault = ServerFault::none;
  if (in_body && plan.answer_bytes == 0) plan.answer_bytes = 1;
  if (plan.answer_framing == Framing::until_close) {
    if (fault == ServerFault::closes_in_body) fault = ServerFault::resets_in_body;
    if (fault == ServerFault::extra_bytes || fault == ServerFault::closes_soon_after)
      fault = ServerFault::none;
  }
  if (fault == ServerFault::extra_bytes && plan.answer_bytes > 3000) plan.answer_bytes = 3000;
  if (plan.kind == Kind::websocket) fault = ServerFault::none;
  if (fault == ServerFault::early_answer && plan.server_closes) fault = ServerFault::early_answer_then_close;
  if (fault != ServerFault::none) plan.login = false;
  if (plan.client_fault != ClientFault::none) plan.login = plan.http_1_0 = false;
  if (plan.client_fault == ClientFault::leaves_in_body || plan.client_fault == ClientFault::stalls_in_body) {
    if (!has_body) plan.client_fault = ClientFault::none;
    if (plan.request_bytes < 2) plan.request_bytes = 2;
  }
  return plan;
}

}  // namespace

const char* RequestPlan::method() const noexcept {
  switch (kind) {
    case Kind::upload_pack:
    case Kind::receive_pack:
    case Kind::web_form:
      return "POST";
    case Kind::lfs_upload:
      return "PUT";
    case Kind::web_head:
      return "HEAD";
    default:
      return "GET";
  }
}

std::string RequestPlan::target() const {
  const std::string base = "/team/app" + std::to_string(repository) + ".git";
  switch (kind) {
    case Kind::advertise_fetch:
      return base + "/info/refs?service=git-upload-pack";
    case Kind::advertise_push:
      return base + "/info/refs?service=git-receive-pack";
    case Kind::upload_pack:
      return base + "/git-upload-pack";
    case Kind::receive_pack:
      return base + "/git-receive-pack";
    case Kind::dumb_object:
      return base + "/objects/12/34567890123456789012345678901234567890";
    case Kind::lfs_upload:
      return base + "/info/lfs/objects/0123456789012345678901234567890123456789012345678901234567890123";
    default:
      return "/page/" + std::to_string(id);
  }
}

std::string RequestPlan::request_body() const {
  const std::string end = done ? packet("done\n") : "";
  if (kind == Kind::upload_pack && !version_2) {
    return packet("want " + in_hex(noise_of(id, 20)) + (sideband ? " side-band-64k" : "") + " agent=sim\n") +
           lines_of_objects("want ", "", id, request_bytes).append(flush).append(end);
  }
  if (kind == Kind::upload_pack && lists_refs) {
    return packet("command=ls-refs\n").append(delimiter) + packet("peel\n") + packet("symrefs\n") +
           lines_of_objects("ref-prefix refs/", "", id, request_bytes).append(flush);
  }
  if (kind == Kind::upload_pack) {
    return packet("command=fetch").append(delimiter) + packet("ofs-delta\n") +
           lines_of_objects("want ", "", id, request_bytes) + end + std::string(flush);
  }
  if (kind == Kind::receive_pack) {
    const std::string from_to = in_hex(noise_of(id, 20)) + " " + in_hex(noise_of(id + 1, 20));
    return packet(from_to + " refs/heads/main" + std::string(1, '\0') + " report-status side-band-64k")
        .append(flush)
        .append("PACK")
        .append(noise_of(id, request_bytes));
  }
  return noise_of(id, request_bytes);
}

std::string RequestPlan::answer_body() const {
  if (answer_framing == Framing::none) return "";
  const uint32_t own = id * 2 + 1;
  const std::string pack = "PACK" + noise_of(own, answer_bytes);
  switch (kind) {
    case Kind::advertise_fetch: {
      const std::string service = packet("# service=git-upload-pack\n").append(flush);
      if (!version_2) return service + refs(own, answer_bytes);
      return service + packet("version 2\n") + packet("agent=sim/" + std::to_string(own) + "\n") +
             packet("ls-refs=unborn\n") + packet("fetch=shallow filter\n").append(flush);
    }
    case Kind::advertise_push:  // there is no version 2 of pushing
      return packet("# service=git-receive-pack\n").append(flush) + refs(own, answer_bytes);
    case Kind::upload_pack:
      if (version_2 && lists_refs) return refs(own, answer_bytes);
      if (!done && !version_2) return packet("NAK\n");
      if (!done) return packet("acknowledgments\n") + packet("NAK\n").append(flush);
      if (!version_2 && !sideband) return packet("NAK\n") + pack;
      return packet(version_2 ? "packfile\n" : "NAK\n") + progress_of(own, progress) + in_band('\x01', pack);
    case Kind::receive_pack: {
      const std::string report = packet("unpack ok\n") + packet("ok refs/heads/main\n").append(flush);
      return packet("\x01" + report) + in_band('\x02', noise_of(own, answer_bytes));
    }
    default:
      return noise_of(own, answer_bytes);
  }
}

std::string RequestPlan::useless_body() const {
  switch (server_fault) {
    case ServerFault::git_says_err: {
      const std::string error = packet("ERR upload-pack: cannot open the repository");
      return kind == Kind::upload_pack ? error : packet("# service=git-upload-pack\n").append(flush) + error;
    }
    case ServerFault::answers_web_page:
      return "<!DOCTYPE html><title>Back soon</title>";
    default:
      return "the database is gone";
  }
}

RequestPlan RequestPlan::by_http_1_0() const {
  RequestPlan plan = *this;
  if (plan.answer_framing == Framing::chunked) plan.answer_framing = Framing::until_close;
  plan.server_closes = true;
  plan.interim = 0;
  const bool ends_with_it = plan.answer_framing == Framing::until_close;
  ServerFault& fault = plan.server_fault;
  if (fault == ServerFault::extra_bytes && ends_with_it) fault = ServerFault::none;
  if (fault == ServerFault::early_answer) fault = ServerFault::none;
  return plan;
}

bool Scenario::quiet() const noexcept {
  for (size_t fault = 0; fault < fault_kinds; fault++) {
    if (faults.per_mille[fault] > 0 && may_break_requests(static_cast<Fault>(fault))) return false;
  }
  return restarts.empty() && drain_ns == 0 && stop_ns == 0 && !scarce;
}

namespace {

// Dice of their own, so that the rest of the scenario is what it was without them.
void add_limits(Scenario& scenario) {
  Dice dice(Rng(scenario.seed).next() ^ 0x11a175);
  const auto one = [&dice](uint64_t most) {
    return dice.one_in(2) ? static_cast<uint32_t>(dice.between(1, most)) : 0;
  };
  scenario.operations_of_server_max = one(4);
  scenario.advertisements_max = one(3);
  scenario.clones_max = one(2);
  scenario.adaptive_min = dice.one_in(3) ? 1 : 0;
}

// Likewise: one server that is slow, one that its operator drains now and then, one that DNS loses.
void add_odd_servers(Scenario& scenario, int64_t span_ns) {
  if (scenario.servers < 2) return;
  Dice dice(Rng(scenario.seed).next() ^ 0x0dd);
  if (dice.one_in(4)) {
    const uint32_t server =
        static_cast<uint32_t>(dice.below(scenario.servers));  // one, so that some are left
    for (uint64_t count = dice.between(1, 3); count > 0; count--) {
      const int64_t from = static_cast<int64_t>(dice.below(static_cast<uint64_t>(span_ns)));
      scenario.drains.push_back({server, from, from + static_cast<int64_t>(dice.between(1, 300)) * ms});
    }
  }
  if (scenario.drains.empty() && dice.one_in(6)) {  // or none might be left
    const uint32_t server = static_cast<uint32_t>(dice.below(scenario.servers));
    const int64_t from = static_cast<int64_t>(dice.below(static_cast<uint64_t>(span_ns)));
    const uint64_t most =
        dice.one_in(4) ? 60'000 : 300;  // or past the time in which it still counts as draining
    scenario.absences.push_back({server, from, from + static_cast<int64_t>(dice.between(1, most)) * ms});
  }
  if (dice.one_in(6)) scenario.slow_server = static_cast<uint32_t>(dice.below(scenario.servers));
}

// Likewise: answers that are none to Git's question, where no other fault was thrown.
void answer_something_else(Dice& dice, RequestPlan& plan) {
  const bool asks_git = plan.kind == Kind::advertise_fetch || plan.kind == Kind::upload_pack;
  if (plan.server_fault != ServerFault::none || plan.status != 200 || !asks_git || !dice.one_in(12)) return;
  static constexpr ServerFault useless[] = {ServerFault::answers_500, ServerFault::answers_web_page,
                                            ServerFault::git_says_err};
  plan.server_fault = useless[dice.below(std::size(useless))];
  plan.login = false;
  plan.interim = 0;
}

// Likewise: a reset that our sending may hear of before our receiving does.
void reset_while_both_send(Dice& dice, RequestPlan& plan) {
  const bool sends =
      plan.kind == Kind::receive_pack || plan.kind == Kind::web_form || plan.kind == Kind::lfs_upload;
  const bool is_free = plan.server_fault == ServerFault::none && plan.client_fault == ClientFault::none;
  if (!sends || !is_free || plan.answer_framing == Framing::none || !dice.one_in(12)) return;
  plan.server_fault = ServerFault::early_part_then_reset;
  plan.answer_framing = Framing::until_close;
  plan.server_closes = true;
  plan.answer_bytes = dice.between(2, 60'000);
  plan.request_bytes = dice.between(20'000, 300'000);
}

}  // namespace

Scenario make_scenario(uint64_t seed, const Reduction& reduction) {
  Dice dice(Rng(seed).next() ^ 0x5ce7a210);  // or neighbours would share most of their dice
  Scenario scenario;
  scenario.seed = seed;
  scenario.minds_pace = seed % 2 == 1;
  scenario.cores = static_cast<uint32_t>(dice.between(1, 3));
  scenario.servers = static_cast<uint32_t>(dice.between(1, 3));
  scenario.a_silent_server = dice.one_in(8);
  scenario.upload_pack_framing = static_cast<config::UploadPackFraming>(dice.below(3));
  Flavour flavour;
  const bool unasked = dice.one_in(12);  // servers that speak when nobody asked them
  flavour.hostile = unasked || dice.one_in(2);
  const bool scarce = !unasked && dice.one_in(6);
  flavour.large = dice.one_in(scarce ? 3 : 20);
  constexpr auto faults_dealt = static_cast<size_t>(ServerFault::answers_500);  // see answer_something_else
  pick_favourites(dice, faults_dealt, flavour.server_faults);
  pick_favourites(dice, client_faults, flavour.client_faults);
  if (unasked) flavour.server_faults = {ServerFault::late_surplus, ServerFault::extra_bytes};
  const bool noisy = !unasked && dice.one_in(2);
  const bool breaking = dice.one_in(3);
  for (size_t index = 0; index < fault_kinds; index++) {
    const auto fault = static_cast<Fault>(index);
    const bool on = dice.one_in(2);
    const auto chance = static_cast<uint16_t>(dice.between(2, 300));
    if (!noisy || !on || (may_break_requests(fault) && !breaking)) continue;
    scenario.faults[fault] = may_break_requests(fault) ? static_cast<uint16_t>(chance / 30 + 1) : chance;
  }
  if (unasked) {  // what makes a byte be seen late, and still in its turn
    scenario.faults[Fault::short_read] = static_cast<uint16_t>(dice.below(300));
    scenario.faults[Fault::partial_turn] = static_cast<uint16_t>(dice.below(500));
  }
  if (scenario.faults[Fault::late_start] > 60) scenario.faults[Fault::late_start] = 60;
  if (scenario.faults[Fault::slow_network] > 60) scenario.faults[Fault::slow_network] = 60;
  if (scenario.faults[Fault::time_jump] > 0) scenario.faults[Fault::time_jump] = 2;
  scenario.scarce = scarce;
  if (scarce) {
    scenario.head_rooms = 16;
    scenario.head_buffers = static_cast<uint32_t>(1u << dice.between(5, 7));
    scenario.bulk_buffers = static_cast<uint32_t>(1u << dice.between(0, 3));
    scenario.pipes = static_cast<uint32_t>(dice.below(3));
    if (dice.one_in(3)) scenario.connections_max = static_cast<uint32_t>(dice.between(3, 40));
    if (dice.one_in(2)) {
      scenario.operations_max = static_cast<uint32_t>(dice.between(1, 8));
      add_limits(scenario);
    }
  }
  const bool many = dice.one_in(400);
  const size_t lives = many ? 2000 : 200;
  const int64_t span_ns = static_cast<int64_t>(dice.between(1, 2 << dice.below(8))) * ms;
  // Often everybody is silent for a while, so that cores sleep long.
  const int64_t lull_ns = dice.one_in(3) ? static_cast<int64_t>(dice.between(500, 9000)) * ms : 0;
  if (breaking && dice.one_in(2)) {
    for (uint64_t count = dice.between(1, 3); count > 0; count--) {
      const int64_t from = static_cast<int64_t>(dice.below(static_cast<uint64_t>(span_ns)));
      scenario.restarts.push_back({static_cast<uint32_t>(dice.below(scenario.servers)), from,
                                   from + static_cast<int64_t>(dice.between(1, 300)) * ms});
    }
  }
  add_odd_servers(scenario, span_ns);
  if (dice.one_in(12))
    scenario.drain_ns = 1 + static_cast<int64_t>(dice.below(static_cast<uint64_t>(span_ns)));
  if (dice.one_in(16))
    scenario.stop_ns = 1 + static_cast<int64_t>(dice.below(static_cast<uint64_t>(span_ns)));
  flavour.repositories = static_cast<uint32_t>(dice.between(1, 20));
  Dice more(Rng(seed).next() ^ 0x05e1e55);
  uint32_t id = 1;
  size_t planned = 0;
  while (planned < lives) {
    ClientPlan client;
    client.number = static_cast<uint32_t>(scenario.clients.size());
    client.starts_ns = static_cast<int64_t>(dice.below(static_cast<uint64_t>(span_ns)));
    if (client.starts_ns > span_ns / 2) client.starts_ns += lull_ns;
    client.piece = dice.one_in(6) ? dice.between(1, 700) : 0;
    client.pause_ns = dice.one_in(15) ? static_cast<int64_t>(dice.between(1, 3000)) * 1000 : 0;
    const uint64_t count = dice.one_in(3) ? dice.between(2, 4) : 1;
    client.pipelined = count > 1 && dice.one_in(4);
    const Operation operation{dice.one_in(3), dice.one_in(2),
                              static_cast<uint32_t>(dice.below(flavour.repositories))};
    client.operation = count > 1 && !client.pipelined && dice.one_in(2);
    for (uint64_t number = 0; number < count; number++) {
      RequestPlan plan = make_request(dice, id++, flavour, client.operation ? &operation : nullptr, number);
      if (flavour.hostile) {
        answer_something_else(more, plan);
        reset_while_both_send(more, plan);
      }
      // Only where a byte that has landed is seen at once can it be told from an answer.
      if (plan.server_fault == ServerFault::late_surplus && (noisy || scarce || plan.server_closes))
        plan.server_fault = ServerFault::none;
      if (client.pipelined) {  // only what is sent in one go and never asks back
        plan.login = plan.expects_continue = plan.http_1_0 = plan.client_closes = false;
        plan.client_fault = ClientFault::none;
        plan.interim = 0;
        if (plan.kind == Kind::websocket)
          plan = RequestPlan{.id = plan.id, .kind = Kind::web_page, .answer_bytes = 10};
      }
      client.requests.push_back(plan);
    }
    planned++;
    scenario.clients.push_back(std::move(client));
  }

  scenario.probes = dice.one_in(6);

  // What the reduction leaves out.
  const auto dropped = [&reduction](const ClientPlan& client) {
    const auto in = [&client](const std::vector<uint32_t>& list) {
      return std::find(list.begin(), list.end(), client.number) != list.end();
    };
    return (!reduction.clients.empty() && !in(reduction.clients)) || in(reduction.without_clients);
  };
  std::erase_if(scenario.clients, dropped);
  for (ClientPlan& client : scenario.clients) {
    if (client.requests.size() > reduction.requests_max) client.requests.resize(reduction.requests_max);
  }
  for (const uint8_t fault : reduction.without_faults) scenario.faults.per_mille[fault] = 0;
  if (reduction.no_restarts) {
    scenario.restarts.clear();
    scenario.drains.clear();
    scenario.absences.clear();
  }
  if (reduction.no_drain) scenario.drain_ns = scenario.stop_ns = 0;
  return scenario;
}

std::string Reduction::arguments() const {
  std::string out;
  const auto list = [&out](const char* option, const auto& values) {
    if (values.empty()) return;
    out += std::string(" ") + option + " ";
    for (const auto value : values) out += std::to_string(value) + ",";
    out.pop_back();
  };
  list("--clients", clients);
  list("--without-clients", without_clients);
  if (requests_max != UINT32_MAX) out += " --requests " + std::to_string(requests_max);
  list("--without-faults", without_faults);
  if (no_restarts) out += " --no-restarts";
  if (no_drain) out += " --no-drain";
  return out;
}

std::string Scenario::describe() const {
  static constexpr const char* framing_names[] = {"chunked", "until-close", "auto"};
  std::string out = "seed " + std::to_string(seed) + ": " + std::to_string(cores) + " cores, " +
                    std::to_string(servers) + " servers" + (a_silent_server ? " and a silent one" : "") +
                    (probes ? ", probed" : "") + (minds_pace ? ", with a pace" : "") + ", " +
                    std::to_string(clients.size()) + " clients; " + std::string("upload-pack ") +
                    framing_names[static_cast<size_t>(upload_pack_framing)] + "; " +
                    (quiet() ? "nothing may fail" : "requests may fail");
  for (size_t fault = 0; fault < fault_kinds; fault++) {
    if (faults.per_mille[fault] == 0) continue;
    out += "\n  fault " + std::string(fault_names[fault]) + ": " + std::to_string(faults.per_mille[fault]) +
           " in 1000";
  }
  for (const Restart& restart : restarts) {
    out += "\n  server " + std::to_string(restart.server) + " is away from " +
           std::to_string(restart.from_ns / ms) + " to " + std::to_string(restart.until_ns / ms) + " ms";
  }
  if (drain_ns != 0) out += "\n  drain after " + std::to_string(drain_ns / ms) + " ms";
  if (stop_ns != 0) out += "\n  stop after " + std::to_string(stop_ns / ms) + " ms";
  out += "\n  buffers: " + std::to_string(head_buffers) + " head, " + std::to_string(bulk_buffers) +
         " bulk; pipes: " + std::to_string(pipes) + "; connections: " + std::to_string(connections_max) +
         "; operations: " + std::to_string(operations_max) + " (at first " + std::to_string(adaptive_min) +
         "), " + std::to_string(operations_of_server_max) + " of a server, " +
         std::to_string(advertisements_max) + " advertisements, " + std::to_string(clones_max) + " clones";
  for (const ClientPlan& client : clients) {
    if (clients.size() > 4000) break;
    out += "\n  client " + std::to_string(client.number) + " at " + std::to_string(client.starts_ns / ms) +
           " ms" + (client.pipelined ? ", pipelined" : "") + (client.operation ? ", one operation" : "") +
           (client.piece != 0 ? ", in pieces of " + std::to_string(client.piece) : "");
    for (const RequestPlan& plan : client.requests) {
      static constexpr const char* framings[] = {"none", "length", "chunked", "until close"};
      out +=
          "\n    request " + std::to_string(plan.id) + ": " + name(plan.kind) +
          (plan.version_2 && plan.kind <= Kind::receive_pack ? " v2" : "") + (plan.http_1_0 ? " 1.0" : "") +
          (plan.login ? " with log-in" : "") + (plan.expects_continue ? " expecting 100" : "") + ", " +
          framings[static_cast<size_t>(plan.request_framing)] + " " + std::to_string(plan.request_bytes) +
          " up; " + std::to_string(plan.status) + " " + framings[static_cast<size_t>(plan.answer_framing)] +
          " " + std::to_string(plan.answer_bytes) + " down" + (plan.server_closes ? ", server closes" : "") +
          (plan.client_closes ? ", client closes" : "");
      if (plan.server_fault != ServerFault::none) {
        out +=
            std::string("; ") + (plan.fault_once ? "the first server " : "server ") + name(plan.server_fault);
      }
      if (plan.client_fault != ClientFault::none) out += std::string("; client ") + name(plan.client_fault);
    }
  }
  return out;
}

const char* name(Kind kind) {
  static constexpr const char* names[kinds] = {
      "advertise_fetch", "advertise_push", "upload_pack", "receive_pack", "dumb_object",
      "web_page",        "web_head",       "web_form",    "lfs_upload",   "websocket"};
  return names[static_cast<size_t>(kind)];
}
const char* name(ServerFault fault) {
  static constexpr const char* names[server_faults] = {"none",
                                                       "silent",
                                                       "closes_before_answer",
                                                       "resets_before_answer",
                                                       "closes_in_head",
                                                       "closes_in_body",
                                                       "resets_in_body",
                                                       "stalls_in_body",
                                                       "extra_bytes",
                                                       "both_framings",
                                                       "bad_head",
                                                       "too_many_interim",
                                                       "early_answer",
                                                       "early_answer_then_close",
                                                       "early_answer_then_reset",
                                                       "closes_soon_after",
                                                       "late_surplus",
                                                       "answers_500",
                                                       "answers_web_page",
                                                       "git_says_err",
                                                       "early_part_then_reset"};
  return names[static_cast<size_t>(fault)];
}
const char* name(ClientFault fault) {
  static constexpr const char* names[client_faults] = {"well_behaved",   "leaves_in_head",   "leaves_in_body",
                                                       "leaves_waiting", "leaves_in_answer", "half_closes",
                                                       "stalls_in_head", "stalls_in_upload", "stops_reading",
                                                       "sends_bad_head", "long_target",      "large_head"};
  return names[static_cast<size_t>(fault)];
}

}  // namespace breakwater::sim
