// Every table and key the file may have, with its bounds, and for each wait what is waited for: the parser,
// its hints, `breakwater check` and the test of docs/configuration.md read the same lists. Defaults are not
// here: they are the members' initialisers in config.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/config.h"
#include "config/rules.h"

namespace breakwater::config {

inline constexpr std::string_view table_names[] = {"listen", "pool",  "route",   "timeouts", "limits",
                                                   "log",    "admin", "process", "dns"};

inline constexpr std::string_view listen_keys[] = {
    "bind",          "pool",           "trusted",           "redirect",
    "tls",           "tls_minimum",    "tls_ticket_keys",   "tls_client",
    "tls_client_ca", "tls_client_crl", "tls_client_header", "tls_kernel"};
inline constexpr std::string_view pool_keys[] = {"servers",         "kind",
                                                 "balance",         "retries",
                                                 "probe",           "connect",
                                                 "advertise",       "response",
                                                 "server_idle",     "fold_case",
                                                 "repair_headers",  "upload_pack_framing",
                                                 "probe_interval",  "probe_fast_interval",
                                                 "probe_timeout",   "probe_rise",
                                                 "probe_fall",      "agent_port",
                                                 "agent_interval",  "eject_errors",
                                                 "slow_ratio",      "slow_min",
                                                 "eject_time",      "eject_time_max",
                                                 "slow_start",      "ejected_max",
                                                 "panic",           "max_operations",
                                                 "adaptive_min",    "max_fetches",
                                                 "max_pushes",      "max_lfs",
                                                 "max_web",         "max_advertisements",
                                                 "max_clones",      "max_per_repository",
                                                 "max_per_client",  "queue",
                                                 "queue_timeout",   "sticky",
                                                 "sticky_key_file", "sticky_secure",
                                                 "sticky_max_age",  "tls",
                                                 "tls_verify",      "tls_name",
                                                 "tls_ca",          "tls_crl",
                                                 "tls_certificate"};
inline constexpr std::string_view route_keys[] = {"listen", "host", "path", "pool"};
inline constexpr std::string_view log_keys[] = {"target", "path"};
inline constexpr std::string_view dns_keys[] = {"servers", "min_ttl", "max_ttl", "timeout"};
inline constexpr std::string_view admin_keys[] = {"bind"};
inline constexpr std::string_view process_keys[] = {"cores", "pin", "pid_file", "sandbox"};

// ---- choices

inline constexpr Word<Kind> kind_words[] = {{"gogs", Kind::gogs},
                                            {"gitea", Kind::gitea},
                                            {"gitlab", Kind::gitlab},
                                            {"http-backend", Kind::http_backend},
                                            {"other", Kind::other}};
inline constexpr Word<Balance> balance_words[] = {{"round-robin", Balance::round_robin},
                                                  {"least-connections", Balance::least_connections},
                                                  {"fastest", Balance::fastest},
                                                  {"repository", Balance::repository}};
inline constexpr Word<UploadPackFraming> framing_words[] = {{"chunked", UploadPackFraming::chunked},
                                                            {"until-close", UploadPackFraming::until_close},
                                                            {"auto", UploadPackFraming::automatic}};
inline constexpr Word<Log::Target> log_targets[] = {
    {"stdout", Log::Target::standard_output}, {"file", Log::Target::file}, {"off", Log::Target::off}};

inline constexpr WordKey<Pool, Kind> kind_key{
    "kind", &Pool::kind, kind_words,
    "write \"gitea\" for Forgejo, \"http-backend\" for git http-backend behind Apache or nginx"};
inline constexpr WordKey<Pool, Balance> balance_key{"balance", &Pool::balance, balance_words, ""};
inline constexpr WordKey<Pool, UploadPackFraming> framing_key{"upload_pack_framing",
                                                              &Pool::upload_pack_framing, framing_words, ""};

inline constexpr Word<ListenTls::Minimum> tls_minimum_words[] = {{"1.2", ListenTls::Minimum::tls12},
                                                                 {"1.3", ListenTls::Minimum::tls13}};
inline constexpr Word<ListenTls::Client> tls_client_words[] = {{"off", ListenTls::Client::off},
                                                               {"optional", ListenTls::Client::optional},
                                                               {"required", ListenTls::Client::required}};
inline constexpr WordKey<ListenTls, ListenTls::Minimum> tls_minimum_key{
    "tls_minimum", &ListenTls::minimum, tls_minimum_words, "older versions are not spoken"};
inline constexpr WordKey<ListenTls, ListenTls::Client> tls_client_key{"tls_client", &ListenTls::client,
                                                                      tls_client_words, ""};

inline constexpr PathKey<ListenTls> tls_path_keys[] = {{"tls", &ListenTls::certificates},
                                                       {"tls_ticket_keys", &ListenTls::ticket_keys},
                                                       {"tls_client_ca", &ListenTls::client_ca},
                                                       {"tls_client_crl", &ListenTls::client_crl}};

inline constexpr FlagKey<ListenTls> tls_kernel_key{"tls_kernel", &ListenTls::kernel};
inline constexpr FlagKey<ListenTls> tls_client_header_key{"tls_client_header", &ListenTls::tells_servers};

inline constexpr FlagKey<Pool> pool_flag_keys[] = {{"fold_case", &Pool::folds_case},
                                                   {"repair_headers", &Pool::repairs_headers}};

inline constexpr PathKey<Sticky> sticky_key_file_key{"sticky_key_file", &Sticky::key_file};
inline constexpr FlagKey<ServerTls> server_tls_flag_keys[] = {{"tls", &ServerTls::on},
                                                              {"tls_verify", &ServerTls::verifies}};
inline constexpr PathKey<ServerTls> server_tls_path_keys[] = {
    {"tls_ca", &ServerTls::ca}, {"tls_crl", &ServerTls::crl}, {"tls_certificate", &ServerTls::certificate}};

inline constexpr FlagKey<Sticky> sticky_secure_key{"sticky_secure", &Sticky::secure};

// ---- durations

inline constexpr Duration timeout_min{
    10};  // one turn of a busy loop may take a few ms; less would cut healthy peers
// Those that a pool may have of its own, too.
inline constexpr DurationKey<PoolTimeouts> pool_timeout_keys[] = {
    {{"connect", timeout_min, hour, false, "A server accepts the connection",
      "The next server is tried; after the last one 504"},
     &PoolTimeouts::connect},
    {{"advertise", timeout_min, 24 * hour, false, "A server begins its answer to info/refs",
      "The next server is tried; after the last one 504"},
     &PoolTimeouts::advertise},
    {{"response", timeout_min, 24 * hour, false,
      "A server begins its answer, counted from the last byte sent to it", "504"},
     &PoolTimeouts::response},
    {{"server_idle", timeout_min, 24 * hour, false, "An unused connection to a server finds use",
      "It is closed; no client sees this"},
     &PoolTimeouts::server_idle},
};

constexpr DurationKey<Timeouts> as_timeout(const DurationKey<PoolTimeouts>& key) {
  return {static_cast<const DurationRule&>(key), key.member};
}

inline constexpr DurationKey<Timeouts> timeout_keys[] = {
    {{"tls_handshake", timeout_min, hour, false,
      "A TLS client's handshake is done, counted from its connection: it may have to wait for its turn",
      "The connection closes"},
     &Timeouts::tls_handshake},
    {{"head", timeout_min, hour, false, "The client finishes a request head it began",
      "408, then the connection closes"},
     &Timeouts::head},
    {{"keep_alive", timeout_min, 24 * hour, false, "The client sends its next request",
      "The connection closes, without an answer"},
     &Timeouts::keep_alive},
    as_timeout(key_of(pool_timeout_keys, "connect")),
    as_timeout(key_of(pool_timeout_keys, "advertise")),
    as_timeout(key_of(pool_timeout_keys, "response")),
    {{"idle", timeout_min, 24 * hour, false, "A byte moves, either way, in a body or tunnel",
      "The connection is cut, so that git reports a broken transfer"},
     &Timeouts::idle},
    {{"client_pace_window", Duration{100}, hour, false,
      "A client that is waited for takes or gives client_pace bytes a second, on an average of so much "
      "waiting",
      "The connection is cut, so that git reports a broken transfer; 408 if no answer had begun"},
     &Timeouts::client_pace_window},
    as_timeout(key_of(pool_timeout_keys, "server_idle")),
    {{"linger", timeout_min, minute, false, "After the last answer on a connection the client ends its side",
      "The connection closes"},
     &Timeouts::linger},
    {{"drain", timeout_min, 24 * hour, true, "After SIGTERM running transfers end", "They are cut"},
     &Timeouts::drain},
};

inline constexpr DurationKey<Probe> probe_duration_keys[] = {
    {{"probe_interval", Duration{100}, hour, false, "The next probe of a server is due, give or take a tenth",
      "It is sent; no client sees this"},
     &Probe::interval},
    {{"probe_fast_interval", Duration{100}, hour, false,
      "The next probe of a server is due, while it is between up and down",
      "It is sent; no client sees this"},
     &Probe::fast_interval},
    {{"probe_timeout", timeout_min, minute, false, "A server answers a probe",
      "The probe has failed; no client sees this"},
     &Probe::timeout},
};

inline constexpr DurationKey<Agent> agent_duration_keys[] = {
    {{"agent_interval", Duration{100}, hour, false,
      "The agent of a server answers; it is asked that often, give or take a tenth",
      "It is asked again; no client sees this"},
     &Agent::interval},
};

inline constexpr DurationKey<Health> health_duration_keys[] = {
    {{"slow_min", Duration{1}, minute, false,
      "A server's first byte comes, beyond the time that its peers take",
      "The server may count as slow; no client sees this"},
     &Health::slow_min},
    {{"eject_time", Duration{100}, hour, false,
      "An ejected server gets requests again; twice that the next time",
      "It gets requests again; no client sees this"},
     &Health::eject_time},
    {{"eject_time_max", Duration{100}, 24 * hour, false,
      "An ejected server gets requests again, at the latest", "It gets requests again; no client sees this"},
     &Health::eject_time_max},
    {{"slow_start", Duration{100}, hour, true, "A server that came back may have its whole share",
      "It has its whole share; no client sees this"},
     &Health::slow_start},
};

inline constexpr DurationKey<Admission> admission_duration_keys[] = {
    {{"queue_timeout", timeout_min, hour, false, "An operation that waits for a limit of its pool may begin",
      "429 for a limit of its repository or client, else 503; with Retry-After"},
     &Admission::queue_timeout},
};

// Nobody waits for this one.
inline constexpr DurationKey<Sticky> sticky_max_age_key{
    {"sticky_max_age", second, 365 * 24 * hour, true, "", ""}, &Sticky::max_age};

inline constexpr DurationKey<Dns> dns_duration_keys[] = {
    {{"min_ttl", Duration{100}, hour, false, "A name is looked up again, at the earliest",
      "It is, if its records are as old as they may be"},
     &Dns::min_ttl},
    {{"max_ttl", Duration{100}, 24 * hour, false, "A name is looked up again, at the latest",
      "It is, whatever its records say"},
     &Dns::max_ttl},
    {{"timeout", Duration{100}, minute, false, "A resolver answers, asked up to twice",
      "The next one is asked; after the last one the known addresses stay"},
     &Dns::timeout},
};

// ---- counts and sizes

// A head and 4 KiB of what follows it share one 20 KiB head buffer, hence 16 KiB.
inline constexpr SizeKey head_bytes_key{"head_bytes", 1024, 16 * 1024};
inline constexpr SizeKey target_bytes_key{"target_bytes", 256, 16 * 1024};
inline constexpr SizeKey body_bytes_key{"body_bytes", 1024, 1ull << 50, true};
inline constexpr SizeKey client_pace_key{"client_pace", 1, 16 * 1024 * 1024,
                                         true};  // of [timeouts]: a second

inline constexpr uint32_t buffers_max = 32'768;  // what the kernel takes in one provided-buffer ring

inline constexpr CountKey<Limits> limit_count_keys[] = {
    {{"connections", 1, 1'000'000}, &Limits::connections},
    {{"tls_handshakes", 1, 100'000}, &Limits::tls_handshakes},
    {{"servers_idle", 0, 65'536}, &Limits::servers_idle},  // 0: no connection to a server is used twice
    {{"head_buffers", 16, buffers_max}, &Limits::head_buffers},
    {{"bulk_buffers", 4, buffers_max}, &Limits::bulk_buffers},
    {{"pipes", 0, 65'536}, &Limits::pipes},  // 0: nothing is spliced
};

inline constexpr CountKey<Probe> probe_count_keys[] = {
    {{"probe_rise", 1, 100}, &Probe::rise},
    {{"probe_fall", 1, 100}, &Probe::fall},
};

inline constexpr CountKey<Agent> agent_count_keys[] = {
    {{"agent_port", 0, 65'535, true}, &Agent::port},
};

inline constexpr CountKey<Health> health_count_keys[] = {
    {{"eject_errors", 0, 1000, true}, &Health::errors},
    {{"slow_ratio", 2, 100, true}, &Health::slow_ratio},
};

inline constexpr uint32_t operations_max = 1'000'000;
inline constexpr CountKey<Admission> admission_count_keys[] = {
    {{"max_operations", 0, operations_max, true}, &Admission::operations},
    {{"adaptive_min", 0, operations_max, true}, &Admission::adaptive_min},
    {{"max_fetches", 0, operations_max, true}, &Admission::fetches},
    {{"max_pushes", 0, operations_max, true}, &Admission::pushes},
    {{"max_lfs", 0, operations_max, true}, &Admission::lfs},
    {{"max_web", 0, operations_max, true}, &Admission::web},
    {{"max_advertisements", 0, operations_max, true}, &Admission::advertisements},
    {{"max_clones", 0, operations_max, true}, &Admission::clones},
    {{"max_per_repository", 0, operations_max, true}, &Admission::per_repository},
    {{"max_per_client", 0, operations_max, true}, &Admission::per_client},
    {{"queue", 0, 100'000, true}, &Admission::queue},
};

inline constexpr CountRule cores_rule{"cores", 1, 1024};

inline constexpr PercentKey<Pool> retries_key{{"retries", 0, 100, true}, &Pool::retries};
inline constexpr PercentKey<Health> health_percent_keys[] = {
    {{"ejected_max", 0, 100}, &Health::ejected_max},
    {{"panic", 0, 100, true}, &Health::panic},
};

// ---- how much of what a file may have

inline constexpr size_t listens_max = 64;
inline constexpr size_t pools_max = 1024;
inline constexpr size_t routes_max = 1024;
inline constexpr size_t servers_per_pool_max = 256;
inline constexpr size_t trusted_max = 256;

inline constexpr uint32_t weight_max = 256;          // of a server
inline constexpr uint32_t slots_max = 64;            // of a server that is a name
inline constexpr uint32_t slots_per_pool_max = 256;  // backends/server_set.h
inline constexpr size_t cookie_name_bytes_max = 64;
inline constexpr size_t dns_servers_max = 8;
inline constexpr size_t socket_path_bytes_max = 107;                       // what the kernel takes: unix(7)
inline constexpr size_t request_path_bytes_max = 1024;                     // of a probe or a route
inline constexpr uint32_t probe_status_min = 200, probe_status_max = 599;  // 1xx is no answer yet

}  // namespace breakwater::config
