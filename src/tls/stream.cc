#include "tls/stream.h"

#include <utility>

#include "ring/sys.h"
#include "tls/secure_stream.h"

namespace breakwater::tls {

Stream::Stream(Core& core, int fd) noexcept : core_(core), fd_(fd) {}

Stream::~Stream() = default;

const Engine* Stream::engine() const noexcept {
  return secure_ == nullptr ? nullptr : &secure_->engine();
}

bool Stream::takes_splices() const noexcept {
  return secure_ == nullptr || secure_->is_kernels();
}

Fault Stream::fault() const noexcept {
  return secure_ == nullptr ? Fault{} : secure_->fault();
}

void Stream::submit(Op& op) noexcept {
  op.fd = fd_;
  op.early = 0;
  if (secure_ != nullptr) return secure_->submit(op);
  core_.ring().submit(op);
}

void Stream::cancel(Op& op) noexcept {
  if (secure_ != nullptr) return secure_->cancel(op);
  core_.ring().cancel(op);
}

bool Stream::landed(const Op& op) const noexcept {
  return secure_ == nullptr ? op.landed : secure_->landed(op);
}

bool Stream::armed_before_this_turn() const noexcept {
  return secure_ == nullptr || secure_->armed_before_this_turn();
}

bool Stream::is_silent() const noexcept {
  return secure_ == nullptr ? sys::nothing_to_read(fd_) : secure_->is_silent();
}

const msghdr* Stream::say_end() noexcept {
  return secure_ != nullptr ? secure_->say_end() : nullptr;
}

Task<void> Stream::leave() {
  if (secure_ != nullptr) co_await secure_->leave();
}

Task<Shake> Stream::accept(std::shared_ptr<const Context> context, Handshakes& handshakes, int64_t due_ns) {
  const bool is_for_kernel = context->kernel();
  secure_ = std::make_unique<SecureStream>(core_, fd_, std::move(context));
  Shake shake = co_await secure_->shake_hands(&handshakes, due_ns);
  if (shake.done() && is_for_kernel && !secure_->give_to_kernel()) shake.fault = secure_->fault();
  if (!shake.done()) secure_.reset();
  co_return shake;
}

Task<Shake> Stream::connect(std::shared_ptr<const ClientContext> context, std::string_view name,
                            const Session* session, int64_t due_ns) {
  secure_ = std::make_unique<SecureStream>(core_, fd_, std::move(context), name, session);
  const Shake shake = co_await secure_->shake_hands(nullptr, due_ns);
  if (!shake.done()) secure_.reset();
  co_return shake;
}

void Stream::stop_if_unheard() noexcept {
  if (secure_ != nullptr) secure_->stop_if_unheard();
}

void Stream::stop_handshake() noexcept {
  if (secure_ != nullptr) secure_->stop_handshake();
}

}  // namespace breakwater::tls
