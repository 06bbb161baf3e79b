// Exchange: one request and its answer. Made by the session for each request; lives in its coroutine's frame.
//
// run() is the sequence: parse, choose a server, connect or reuse, send, read the answer's head, relay,
// finish, log. What overlaps it (the request body going up while the answer comes down) are two pumps. Every
// failure goes through fail(), once: it records the first reason and makes whatever is waited for end.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "coro/task.h"
#include "proxy/client_pace.h"
#include "proxy/pump.h"
#include "proxy/replies.h"
#include "proxy/session.h"
#include "proxy/sticky.h"
#include "proxy/upstream.h"
#include "wire/git_answer.h"
#include "wire/git_service.h"
#include "wire/http_head.h"

namespace breakwater::proxy {

struct OperationRow;

// Where a request was when it ended, for the access log.
enum class Phase : uint8_t { head, queue, connect, request, response_head, response_body, tunnel, done };
std::string_view name(Phase phase) noexcept;

class Exchange {
 public:
  explicit Exchange(Session& session) noexcept;
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Serves the request whose head stands in the session's inbox from `start` to `end`. True: the client's
  // connection may carry another request.
  Task<bool> run(size_t start, size_t end);
  // Answers a head that failed the check before it was whole, or that came too slowly.
  Task<void> refuse_head(wire::Fault fault);
  Task<void> refuse_late_head();
  void end_in_head(const Error& why) noexcept;  // that is not whole, and is answered by nobody

  // From the session, at any time: the client closed its sending side, or (broken) its connection is gone.
  void client_ended(bool broken) noexcept;
  void fail(const Error& why) noexcept;

  // What an operator is shown of it while it runs.
  void describe(OperationRow& row) const noexcept;
  bool waits_in_queue() const noexcept { return waits_for_place_ != nullptr; }

 private:
  enum class Attempt : uint8_t {
    answered,
    failed,
    // Nothing of an answer reached the client, and it may go on:
    elsewhere,   // with another server, which was found
    stale,       // with the same on a fresh connection
    unprovable,  // with the same by HTTP/1.1: the end of this answer could not be told
  };
  struct Times {
    int64_t begun = 0, head = 0, connect_begun = 0, connected = 0, sent = 0, first_byte = 0;
  };

  // Why another server is wanted.
  enum class Move : uint8_t {
    unsent,  // this one was sent nothing
    again,   // it failed
    better,  // it may still answer, so only one that is not down is better
  };

  Task<void> redirect(std::string_view to);
  Task<bool> forward();
  Task<bool> admit();
  Task<bool> wait_in_queue(const Queue::Wish& wish, backends::Limit limit);
  Task<void> refuse_for_limit(backends::Limit limit, uint32_t position);
  backends::Part part() noexcept;
  void begin_over_limit(const Queue::Wish& wish) noexcept;
  void leave_place() noexcept;
  void describe_wait(OperationRow& row) const noexcept;
  Task<void> ask_servers();
  Task<Attempt> try_server();
  Task<Error> get_connection();
  Error send_request();
  Task<Error> read_response_head();
  Task<Error> receive_response_head();
  Task<Error> pass_interim_head();
  Task<void> relay_response();
  Task<void> relay_body(std::string_view head);
  bool another_may_go_on(const wire::BodyFraming& towards_client) noexcept;
  bool goes_on_well() noexcept;
  Task<void> take_over();
  Task<void> say_that_pack_failed();
  bool has_room_for_line() noexcept;
  std::span<char> room_for_line() noexcept;
  std::string_view framed(size_t bytes) noexcept;
  static bool leaves_failed_git(void* context);
  Task<void> relay_tunnel();
  Task<void> join_upload(bool server_may_read);
  Task<bool> finish();
  Task<void> answer(const Reply& reply, bool may_keep_alive);

  Buffer take_initial(Pump::Plan& plan) noexcept;
  bool nothing_left_over() noexcept;
  void stop_upload() noexcept;
  static void on_server_ended(void* context);
  bool whole_request_at_hand() const noexcept;
  Attempt after_failure(const Error& error) noexcept;
  wire::Fault parse_response_head() noexcept;
  bool begins_well_enough(bool ended) noexcept;
  void judge_answer() noexcept;
  void blame_suspects() noexcept;
  void report_answer() noexcept;
  Task<void> abandon_server();
  bool answer_is_useless() const noexcept;
  void mind_the_wait(int64_t& next_ns) noexcept;
  void mind_the_progress(int64_t& next_ns) noexcept;
  bool server_went_down() const noexcept;
  void mind_the_client(int64_t& next_ns) noexcept;
  const Pump* waits_for_client() const noexcept;
  void end_attempt() noexcept;
  bool attempt_is_over() const noexcept {
    return failure_.code != Code::none || attempt_failure_.code != Code::none;
  }
  void report_failure(const Error& error) noexcept;
  bool find_another(Move move) noexcept;
  bool both_may_continue() const noexcept;
  uint32_t choose_server(bool over_max) noexcept;
  uint32_t pick_server(bool over_max, bool may_be_down = true) noexcept;
  void enter_next_server() noexcept;
  static uint32_t choose_first(void* context) noexcept;
  uint32_t choose_sticky_server() noexcept;
  StickyCookie cookie_of_answer() const noexcept;
  bool came_by_tls() const noexcept;
  backends::Work work_of_request() noexcept;
  backends::Balancer::Ask balancer_ask() const noexcept;
  uint64_t operation_key() const noexcept;
  void remember_operation() noexcept;
  const wire::UploadPackAsk& upload_pack_ask() noexcept;
  backends::PoolHealth& health() const noexcept { return pool_->shared.health; }
  config::Duration answer_timeout() const noexcept;
  wire::HeadLimits response_limits() const noexcept;
  void enter_server(uint32_t server) noexcept;
  void leave_server() noexcept;
  wire::UploadPackAnswer choose_git_end() noexcept;
  void note_kind_of_server() noexcept;
  bool is_judged(const Error& error) const noexcept;
  bool has_git_result() const noexcept;
  void write_log() noexcept;
  void count_fault() noexcept;
  uint64_t bytes_in() const noexcept { return upload_.started() ? upload_.payload_bytes() : 0; }
  uint64_t bytes_out() const noexcept {
    return taken_over_bytes_ + (download_.started() ? download_.passed_bytes() : 0) + own_reply_bytes_;
  }
  int64_t last_moved_ns() const noexcept;
  std::string_view ended_by() const noexcept;
  std::string_view timeout_that_fired() const noexcept;
  void watch_time() noexcept;
  static void on_time(void* context);
  static void on_upload_ended(void* context);
  std::string_view request_id() const noexcept { return {request_id_.data(), request_id_.size()}; }

  Session& session_;
  Worker& worker_;
  Core& core_;
  const config::Config& config_;

  wire::RequestHead request_;
  wire::ResponseHead response_;
  wire::GitRequest git_;
  bool parsed_ = false;
  std::array<char, 16> request_id_;

  size_t head_end_ = 0;  // of the request, in the session's inbox
  UpstreamLease server_;
  uint32_t pool_index_ = 0;
  PoolOnCore* pool_ = nullptr;  // of the request's route
  backends::Work work_ = backends::Work::other;
  uint64_t repository_ = 0;                      // hashed; 0 for what belongs to none
  uint32_t server_index_ = backends::no_server;  // of the attempt that is being made or was made last
  uint32_t next_server_ = backends::no_server;   // of the next one, once it is found
  StickyServer named_by_cookie_;                 // of a page
  std::string_view server_label_;                // of server_index_, as it was when that was chosen
  bool counted_ = false;                         // among the requests in flight on the server
  backends::ServerSet tried_;
  backends::ServerSet suspects_;  // whose answers were useless
  bool is_over_budget_ = false;   // in this attempt
  bool ask_is_read_ = false;
  wire::UploadPackAsk ask_;  // of an upload-pack whose body is at hand
  uint32_t attempts_ = 0;
  uint32_t interim_answers_ = 0;
  bool interim_passed_ = false;  // one was passed on, which binds the client to this server
  bool replayable_ = false;
  bool reused_ = false;
  bool fresh_only_ = false;  // it was sent once already
  // Unless unprovable: asked for by HTTP/1.0, and the answer may end with the connection, as Git's own end
  // proves.
  wire::UploadPackAnswer git_end_ = wire::UploadPackAnswer::unprovable;
  bool asked_by_1_0() const noexcept { return git_end_ != wire::UploadPackAnswer::unprovable; }
  HeadRoom::Lease request_room_;
  HeadRoom::Lease response_room_;
  size_t request_head_bytes_ = 0;
  wire::HeadScanner response_scanner_;
  size_t response_bytes_seen_ = 0;  // bytes of an answer, interim ones too
  Ticket own_ticket_;               // the place of a request that is no part of an operation
  Ticket* ticket_ = nullptr;  // of the operation, where the pool has limits: own_ticket_ or the session's
  PartPlace part_place_;
  bool began_over_limit_ = false;                // a clone that waited for as long as it may
  uint32_t first_server_ = backends::no_server;  // chosen with its place
  Queue::Waiter* waits_for_place_ = nullptr;
  std::string_view queued_class_;  // of what it waits as: "fetch", "clone"
  backends::Limit queued_for_ = backends::Limit::none;
  int64_t queued_ns_ = 0;
  Pump upload_;
  Pump download_;

  Error failure_;          // the first reason
  Error attempt_failure_;  // why the attempt that is being made is given up, but not the request
  backends::Outcome verdict_ = backends::Outcome::good;
  wire::GitAnswer answer_ = wire::GitAnswer::fine;
  int64_t told_wait_ns_ = 0;  // how long a wait of this attempt the server's health knows of; 0: none
  ClientPace pace_;
  const Pump* paced_ = nullptr;  // the one that pace_ is of
  bool pace_fired_ = false;      // failure_ is of it
  bool upload_failed_ = false;   // the server stopped reading; its answer may still come
  bool server_ended_ = false;    // seen while the rest of an upload was still going to it
  bool waits_for_head_ = false;
  bool response_begun_ = false;  // bytes of the final answer are on their way to the client
  bool may_take_over_ = false;   // another server may go on with it, as it is
  bool takes_over_ = false;      // another server does, or is asked to
  wire::PackOpening opening_sent_;
  uint64_t taken_over_bytes_ = 0;  // that the client has of those before, and of us
  Pump::Framing client_framing_ = Pump::Framing::plain;
  bool continue_sent_ = false;
  bool keep_client_ = false;
  bool upload_may_go_on_ = false;  // behind the end of the answer
  bool answered_early_ = false;    // before the server had the whole request
  bool tunnel_ = false;
  uint16_t status_ = 0;
  uint64_t own_reply_bytes_ = 0;
  Phase phase_ = Phase::head;
  wire::Fault fault_ = wire::Fault::none;
  Times times_;
  int64_t active_ns_ = 0;  // the last time something moved, besides the pumps
  Timer timer_;
};

}  // namespace breakwater::proxy
