#include "origin/real_connection.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>

#include "wire/http_write.h"
#include "wire/uri.h"

namespace breakwater::origin {

namespace {

constexpr std::string_view never_cache =
    "Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\nCache-Control: no-cache, max-age=0, "
    "must-revalidate\r\n";

// Waits for one event. True if it came; false on a timeout.
bool wait_for(int fd, short events, int timeout_ms) {
  pollfd waiting{.fd = fd, .events = events, .revents = 0};
  int ready = 0;
  do ready = poll(&waiting, 1, timeout_ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// git reads key[=value] pairs with colons between them; nothing else goes into the environment of a child.
std::string git_protocol(const wire::Fields& fields) {
  static constexpr size_t bytes_max = 256;
  const std::string_view value = fields.find("Git-Protocol");
  if (value.size() > bytes_max) return {};
  const bool plain = std::ranges::all_of(value, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '=' ||
           c == ':' || c == '.' || c == '-' || c == '_';
  });
  return plain ? std::string(value) : std::string();
}

bool asks_for_version_2(std::string_view protocol) {
  while (!protocol.empty()) {
    const size_t colon = protocol.find(':');
    if (protocol.substr(0, colon) == "version=2") return true;
    protocol.remove_prefix(colon == std::string_view::npos ? protocol.size() : colon + 1);
  }
  return false;
}

void append_escaped(std::string& html, std::string_view text) {
  for (const char c : text) {
    if (c == '<')
      html += "&lt;";
    else if (c == '>')
      html += "&gt;";
    else if (c == '&')
      html += "&amp;";
    else if (c == '"')
      html += "&quot;";
    else
      html += c;
  }
}

std::string response_head(int status, std::string_view content_type, std::string_view framing,
                          bool keep_alive, std::string_view extra_fields) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += wire::reason_phrase(static_cast<uint16_t>(status));
  head += "\r\nServer: breakwater-origin\r\nContent-Type: ";
  head += content_type;
  head += "\r\n";
  head += framing;
  head += extra_fields;
  if (!keep_alive) head += "Connection: close\r\n";
  head += "\r\n";
  return head;
}

}  // namespace

void Connection::run() {
  while (true) {
    const Read read = read_head();
    if (read == Read::ended) return;
    Next next = Next::close;
    if (read == Read::head) next = serve();
    if (next == Next::keep) continue;
    if (next == Next::close) {
      close_politely();
    } else {
      // A reset instead of an orderly end: HTTP/1.0 answers have no other way to show that they are cut
      // short.
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return;
  }
}

Connection::Read Connection::read_head() {
  wire::HeadScanner scanner(limits_);
  while (true) {
    const wire::HeadScanner::State state = scanner.scan({in_.data(), received_});
    wire::Fault fault = wire::Fault::none;
    if (state == wire::HeadScanner::State::complete) {
      head_end_ = scanner.end();
      const std::string_view head{in_.data() + scanner.start(), scanner.end() - scanner.start()};
      fault = wire::parse_request(head, limits_, request_);
      keep_alive_ = request_.keep_alive;
      if (fault == wire::Fault::none) return Read::head;
    } else if (state == wire::HeadScanner::State::refused) {
      fault = scanner.fault();
    }
    if (fault != wire::Fault::none) {
      keep_alive_ = false;
      request_.method = wire::Method::other;
      refuse(wire::status_of(fault), wire::describe(fault));
      return Read::refused;
    }
    if (!wait_for(socket_, POLLIN, idle_timeout_ms)) return Read::ended;
    const ssize_t got = recv(socket_, in_.data() + received_, in_.size() - received_, 0);
    if (got <= 0) return Read::ended;
    received_ += static_cast<size_t>(got);
  }
}

Connection::Next Connection::serve() {
  const auto [raw_path, query] = wire::split_query(request_.path_query);
  std::array<char, 4096> decoded;
  const std::optional<std::string_view> path = wire::percent_decode(raw_path, decoded);
  if (!path || !path->starts_with('/')) return refuse(400, "this is no path that names a repository");

  const bool is_post = request_.method == wire::Method::post;
  const bool is_read = request_.method == wire::Method::get || request_.method == wire::Method::head;
  if (*path == "/healthz" && is_read) return reply(200, "text/plain", "ok\n");
  if (*path == "/" && is_read) return serve_listing();

  for (const std::string_view service : {"upload-pack", "receive-pack"}) {
    const std::string suffix = "/git-" + std::string(service);
    if (!path->ends_with(suffix)) continue;
    if (!is_post) return refuse(405, "this address takes POST only", "Allow: POST\r\n");
    const auto repository = site_.repositories.find(path->substr(1, path->size() - suffix.size() - 1));
    if (!repository) return refuse(404, "there is no such repository");
    return serve_service(*repository, service);
  }

  if (!is_read) return refuse(405, "this address takes GET and HEAD only", "Allow: GET, HEAD\r\n");
  for (const std::string_view marker : {"/info/refs", "/HEAD", "/objects/"}) {
    const size_t at = path->rfind(marker);
    if (at == std::string_view::npos || at == 0) continue;
    const std::string_view file = path->substr(at + 1);
    const auto repository = site_.repositories.find(path->substr(1, at - 1));
    if (!repository || !is_dumb_file(file)) continue;
    const auto service = wire::query_value(query, "service");
    if (file == "info/refs" && service) return serve_advertisement(*repository, *service);
    return serve_dumb_file(*repository, file);
  }
  return refuse(404, "there is no such repository or file");
}

Connection::Next Connection::serve_advertisement(const std::filesystem::path& repository,
                                                 std::string_view service) {
  const bool is_push = service == "git-receive-pack";
  if (!is_push && service != "git-upload-pack") return refuse(403, "this service is not offered");
  if (is_push && !site_.allow_push)
    return refuse(403, "pushing is not allowed here (start with --allow-push)");
  if (request_.method != wire::Method::get)
    return refuse(405, "this address takes GET only", "Allow: GET\r\n");
  if (has_body()) return refuse(400, "a GET has no body here");

  const std::string protocol = git_protocol(request_.fields);
  // As git-http-backend(1): the service line is there for versions 0 and 1 only.
  std::string prologue;
  if (!asks_for_version_2(protocol)) {
    prologue = is_push ? "001f# service=git-receive-pack\n0000" : "001e# service=git-upload-pack\n0000";
  }
  GitProcess git(site_.processes);
  const std::string command(service.substr(4));
  const int why = git.start({command, "--stateless-rpc", "--advertise-refs", repository.string()}, protocol);
  if (why != 0) return refuse(503, "git could not be started", "Retry-After: 1\r\n");
  return relay(git, "application/x-" + std::string(service) + "-advertisement", prologue);
}

Connection::Next Connection::serve_service(const std::filesystem::path& repository,
                                           std::string_view service) {
  const std::string type = "application/x-git-" + std::string(service);
  if (service == "receive-pack" && !site_.allow_push) {
    return refuse(403, "pushing is not allowed here (start with --allow-push)");
  }
  if (!wire::equals_ignoring_case(request_.fields.find("Content-Type"), type + "-request")) {
    return refuse(415, "the Content-Type must be " + type + "-request");
  }
  const std::string_view coding = request_.fields.find("Content-Encoding");
  const bool gzipped =
      wire::equals_ignoring_case(coding, "gzip") || wire::equals_ignoring_case(coding, "x-gzip");
  if (!coding.empty() && !gzipped) return refuse(415, "the only Content-Encoding understood is gzip");

  GitProcess git(site_.processes);
  const int why = git.start({std::string(service), "--stateless-rpc", repository.string()},
                            git_protocol(request_.fields));
  if (why != 0) return refuse(503, "git could not be started", "Retry-After: 1\r\n");
  if (request_.expects_continue && !send_all("HTTP/1.1 100 Continue\r\n\r\n")) return Next::abort;
  return relay(git, type + "-result", {});
}

// Both directions at once, as a big push needs: its progress comes back while its pack still goes up. One
// poll() for the client and both pipes; at most one piece each way is held, so memory does not grow with the
// repository.
Connection::Next Connection::relay(GitProcess& git, std::string_view content_type,
                                   std::string_view prologue) {
  const std::string_view coding = request_.fields.find("Content-Encoding");
  RequestBody body(request_.body, !coding.empty(), behind_head());
  const bool chunked = request_.minor_version >= 1;
  if (!chunked) keep_alive_ = false;

  std::string head;  // kept until the first byte of the answer, so that an early failure gets its own status
  bool head_written = false;
  std::string_view pending;                       // bytes of the answer for the client
  bool git_done = false;                          // its output has ended
  const auto frame = [&](size_t payload_bytes) {  // payload stands at out_ + chunk_header_bytes_max
    char* payload = out_.data() + wire::chunk_header_bytes_max;
    if (!chunked) return std::string_view(payload, payload_bytes);
    std::array<char, wire::chunk_header_bytes_max> header;
    const size_t header_bytes = wire::write_chunk_header(payload_bytes, header);
    std::memcpy(payload - header_bytes, header.data(), header_bytes);
    std::memcpy(payload + payload_bytes, "\r\n", 2);
    return std::string_view(payload - header_bytes, header_bytes + payload_bytes + 2);
  };

  while (true) {
    // Towards git.
    const RequestBody::State state = body.advance();
    if (state == RequestBody::State::malformed) {
      if (head_written) return Next::abort;
      keep_alive_ = false;
      return refuse(400, "the request body is malformed or ends too soon");
    }
    if (state == RequestBody::State::done) git.close_input();

    // From git, once the client has taken what it was given.
    if (git_done && pending.empty()) break;

    pollfd waiting[3] = {{.fd = socket_, .events = 0, .revents = 0},
                         {.fd = -1, .events = POLLOUT, .revents = 0},
                         {.fd = -1, .events = POLLIN, .revents = 0}};
    if (state == RequestBody::State::needs_more)
      waiting[0].events |= POLLIN;
    else if (state == RequestBody::State::done)
      waiting[0].events |= POLLRDHUP;
    if (!pending.empty()) waiting[0].events |= POLLOUT;
    if (state == RequestBody::State::ready) waiting[1].fd = git.input();
    if (pending.empty()) waiting[2].fd = git.output();
    const bool client_is_due = (waiting[0].events & (POLLIN | POLLOUT)) != 0;
    const int ready = poll(waiting, 3, client_is_due ? stalled_timeout_ms : -1);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Next::abort;

    if ((waiting[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Next::abort;
    if ((waiting[0].revents & POLLRDHUP) != 0)
      return Next::abort;  // the client is gone: git may stop computing

    if ((waiting[0].revents & POLLIN) != 0) {
      const ssize_t got = recv(socket_, body_.data(), body_.size(), MSG_DONTWAIT);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Next::abort;
      if (got > 0) body.add(std::span(body_).first(static_cast<size_t>(got)));
    }

    if ((waiting[0].revents & POLLOUT) != 0) {
      const ssize_t sent = send(socket_, pending.data(), pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EINTR) return Next::abort;
      if (sent > 0) pending.remove_prefix(static_cast<size_t>(sent));
    }

    if (waiting[1].revents != 0) {
      const std::string_view bytes = body.pending();
      const ssize_t written = write(git.input(), bytes.data(), bytes.size());
      if (written >= 0) {
        body.take(static_cast<size_t>(written));
      } else if (errno == EPIPE) {
        // git reads no further (a hook refused, say). Its answer still counts, and the rest of the body is
        // dropped.
        git.close_input();
        body.discard();
      } else if (errno != EAGAIN && errno != EINTR) {
        return Next::abort;
      }
    }

    if (waiting[2].revents != 0) {
      char* payload = out_.data() + wire::chunk_header_bytes_max;
      const ssize_t got = read(git.output(), payload, chunk_bytes_max);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) {
        git.close_output();
        git_done = true;
      } else if (head_written) {
        pending = frame(static_cast<size_t>(got));
      } else {
        head_written = true;
        head = response_head(200, content_type, chunked ? "Transfer-Encoding: chunked\r\n" : "", keep_alive_,
                             never_cache);
        if (!prologue.empty()) {
          std::array<char, wire::chunk_header_bytes_max> header;
          if (chunked) head.append(header.data(), wire::write_chunk_header(prologue.size(), header));
          head += prologue;
          if (chunked) head += "\r\n";
        }
        pending = frame(static_cast<size_t>(got));
        if (!send_all(head, MSG_MORE)) return Next::abort;
      }
    }
  }

  const bool git_succeeded = git.finish();
  if (!git_succeeded && !head_written) {
    keep_alive_ = false;
    return refuse(500, "git failed; this server's standard error says why");
  }
  if (!git_succeeded) return Next::abort;
  if (!head_written) {
    // An upload-pack may have nothing to say (the four-byte probe of a push, for one).
    head = response_head(200, content_type, chunked ? "Transfer-Encoding: chunked\r\n" : "", keep_alive_,
                         never_cache);
    if (!send_all(head, MSG_MORE)) return Next::abort;
  }
  if (chunked && !send_all("0\r\n\r\n")) return Next::abort;
  const RequestBody::State state = body.advance();
  if (state != RequestBody::State::done || !keep_alive_) return Next::close;
  start_over_with(body.rest());
  return Next::keep;
}

Connection::Next Connection::serve_dumb_file(const std::filesystem::path& repository, std::string_view file) {
  if (has_body()) return refuse(400, "a GET has no body here");
  if (file == "info/refs" || file == "objects/info/packs") {
    // Written afresh, one at a time: git renames the new file into place under a fixed lock name.
    static std::mutex one_at_a_time;
    const std::scoped_lock lock(one_at_a_time);
    GitProcess git(site_.processes);
    const int why = git.start({"-C", repository.string(), "update-server-info"}, {});
    if (why != 0 || !git.finish()) return refuse(500, "git update-server-info failed");
  }

  const std::filesystem::path path = repository / file;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat about{};
  if (fd < 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
    if (fd >= 0) close(fd);
    return refuse(404, "there is no such file in this repository");
  }
  std::string_view type = "text/plain";
  if (file.ends_with(".pack"))
    type = "application/x-git-packed-objects";
  else if (file.ends_with(".idx"))
    type = "application/x-git-packed-objects-toc";
  else if (file.starts_with("objects/") && file != "objects/info/packs")
    type = "application/x-git-loose-object";

  const std::string length = "Content-Length: " + std::to_string(about.st_size) + "\r\n";
  bool whole = send_all(response_head(200, type, length, keep_alive_, never_cache), MSG_MORE);
  off_t at = request_.method == wire::Method::head ? about.st_size : 0;
  while (whole && at < about.st_size) {
    const ssize_t sent = sendfile(socket_, fd, &at, static_cast<size_t>(about.st_size - at));
    if (sent <= 0 && !(sent < 0 && errno == EINTR)) whole = false;
  }
  close(fd);
  if (!whole) return Next::abort;
  if (!keep_alive_) return Next::close;
  start_over_with(behind_head());
  return Next::keep;
}

Connection::Next Connection::serve_listing() {
  std::string page =
      "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Repositories</title>\n"
      "<h1>Repositories</h1>\n<ul>\n";
  for (const std::string& name : site_.repositories.names()) {
    page += "<li><code>git clone http://";
    append_escaped(page, request_.authority);
    page += "/";
    append_escaped(page, name);
    page += "</code></li>\n";
  }
  page += "</ul></html>\n";
  return reply(200, "text/html; charset=utf-8", page);
}

Connection::Next Connection::reply(int status, std::string_view content_type, std::string_view body,
                                   std::string_view extra_fields) {
  // A body that was not read would be taken for the next request.
  if (has_body()) keep_alive_ = false;
  const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  std::string answer = response_head(status, content_type, length, keep_alive_, extra_fields);
  if (request_.method != wire::Method::head) answer += body;
  if (!send_all(answer)) return Next::abort;
  if (!keep_alive_) return Next::close;
  start_over_with(behind_head());
  return Next::keep;
}

Connection::Next Connection::refuse(int status, std::string_view sentence, std::string_view extra_fields) {
  return reply(status, "text/plain; charset=utf-8", "breakwater-origin: " + std::string(sentence) + "\n",
               extra_fields);
}

bool Connection::send_all(std::string_view bytes, int flags) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Closing with unread bytes makes the kernel send a reset, which can destroy the answer on its way. So: end
// our side, then read what still comes, within bounds.
void Connection::close_politely() {
  static constexpr size_t drain_bytes_max = 8 * 1024 * 1024;
  static constexpr int drain_wait_ms = 2000;
  shutdown(socket_, SHUT_WR);
  size_t drained = 0;
  while (drained < drain_bytes_max && wait_for(socket_, POLLIN, drain_wait_ms)) {
    const ssize_t got = recv(socket_, body_.data(), body_.size(), 0);
    if (got <= 0) return;
    drained += static_cast<size_t>(got);
  }
}

bool Connection::has_body() const {
  return request_.body.kind == wire::BodyKind::chunked ||
         (request_.body.kind == wire::BodyKind::length && request_.body.length > 0);
}

void Connection::start_over_with(std::span<const char> rest) {
  std::memmove(in_.data(), rest.data(), rest.size());
  received_ = rest.size();
  head_end_ = 0;
}

}  // namespace breakwater::origin
