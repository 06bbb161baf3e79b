// One client connection of the origin: HTTP/1.1 requests one after another, on a thread of its own.
//
// Smart HTTP as gitprotocol-http(5) and git-http-backend(1) describe it. Whatever goes wrong after the first
// byte of an answer ends the connection without the last chunk, so that nobody can take the answer for
// complete.
#pragma once

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "origin/git_process.h"
#include "origin/repositories.h"
#include "origin/request_body.h"
#include "wire/http_head.h"

namespace breakwater::origin {

// What all connections share.
struct Site {
  const Repositories& repositories;
  GitProcesses& processes;
  bool allow_push = false;
};

class Connection {
 public:
  // Does not own `socket`: the caller closes it after run().
  Connection(const Site& site, int socket) : site_(site), socket_(socket) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run();

 private:
  // What may happen to the connection after an exchange.
  enum class Next : uint8_t {
    keep,   // another request may follow
    close,  // the answer is whole; close politely
    abort,  // the answer is not whole, or the client is gone: reset
  };
  enum class Read : uint8_t { head, ended, refused };

  Read read_head();
  Next serve();
  Next serve_service(const std::filesystem::path& repository, std::string_view service);
  Next serve_advertisement(const std::filesystem::path& repository, std::string_view service);
  Next serve_dumb_file(const std::filesystem::path& repository, std::string_view file);
  Next serve_listing();
  Next relay(GitProcess& git, std::string_view content_type, std::string_view prologue);

  // A whole answer with a short body.
  Next reply(int status, std::string_view content_type, std::string_view body,
             std::string_view extra_fields = {});
  Next refuse(int status, std::string_view sentence, std::string_view extra_fields = {});
  bool send_all(std::string_view bytes, int flags = 0);
  void close_politely();

  bool has_body() const;
  std::span<char> behind_head() { return std::span(in_).subspan(head_end_, received_ - head_end_); }
  // Puts what was received behind this request where the next head will be read.
  void start_over_with(std::span<const char> rest);

  static constexpr int idle_timeout_ms = 75'000;
  static constexpr int stalled_timeout_ms = 300'000;  // a client that neither sends nor takes what it should
  static constexpr size_t chunk_bytes_max = 32 * 1024;

  const Site& site_;
  const int socket_;
  wire::HeadLimits limits_;
  wire::RequestHead request_;  // views into in_
  size_t received_ = 0;        // bytes in in_
  size_t head_end_ = 0;        // of the current request, in in_
  bool keep_alive_ = false;
  std::array<char, 32 * 1024> in_;    // heads, and what came with them
  std::array<char, 32 * 1024> body_;  // the rest of a request's body, piece by piece
  std::array<char, wire::chunk_header_bytes_max + chunk_bytes_max + 2> out_;
};

}  // namespace breakwater::origin
