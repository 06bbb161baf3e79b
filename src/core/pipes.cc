#include "core/pipes.h"

#include "base/assert.h"

namespace breakwater {

Pipe& Pipe::operator=(Pipe&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  ends_ = other.ends_;
  held_bytes_ = std::exchange(other.held_bytes_, 0);
  return *this;
}

void Pipe::release() noexcept {
  if (pool_ == nullptr) return;
  std::exchange(pool_, nullptr)->put_back(ends_, held_bytes_ == 0);
  held_bytes_ = 0;
}

PipePool::~PipePool() {
  BW_ASSERT(leased_ == 0);
  for (const sys::PipeEnds& ends : spare_) {
    sys::close(ends.read);
    sys::close(ends.write);
  }
}

Pipe PipePool::acquire() noexcept {
  if (leased_ == count_max_) return {};
  sys::PipeEnds ends;
  if (!spare_.empty()) {
    ends = spare_.back();
    spare_.pop_back();
  } else if (sys::make_pipe(ends, pipe_bytes_) < 0) {
    return {};
  }
  leased_++;
  in_use_.set(leased_);
  return {*this, ends};
}

void PipePool::put_back(const sys::PipeEnds& ends, bool clean) noexcept {
  BW_ASSERT(leased_ > 0);
  leased_--;
  in_use_.set(leased_);
  if (clean) {
    spare_.push_back(ends);
    return;
  }
  sys::close(ends.read);
  sys::close(ends.write);
}

}  // namespace breakwater
