// SPDX-License-Identifier: MIT
#include "pool/connection.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/assert.hpp"
#include "pool/socket_pool.hpp"

namespace stadion::pool {
namespace {

[[maybe_unused]] constexpr std::uint64_t kFileBytesMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

Connection* ConnectionRef::get() const noexcept {
  return pool_ == nullptr ? nullptr : pool_->lookup(index_, generation_);
}

bool Connection::input_full() const noexcept { return input_.size() == pool_->buffer_bytes_; }

void Connection::Buffer::drop_front(std::size_t bytes) noexcept {
  begin += bytes;
  if (begin == end) {
    begin = end = 0;
  }
}

void Connection::Buffer::move_to_front() noexcept {
  std::memmove(memory, at(begin), size());
  end = size();
  begin = 0;
}

void Connection::consume(std::size_t bytes) noexcept {
  STADION_ASSERT(bytes <= input_.size());
  input_.begin += bytes;
}

bool Connection::write(std::string_view bytes) noexcept {
  const std::span<char> room = output_room();
  if (bytes.size() > room.size()) {
    return false;
  }
  if (!bytes.empty()) {
    std::memcpy(room.data(), bytes.data(), bytes.size());
    commit_output(bytes.size());
  }
  return true;
}

std::span<char> Connection::output_room() noexcept {
  if (has_output_elsewhere() || !pool_->ensure_memory(*this, output_)) {
    return {};
  }
  if (output_.begin > 0) {
    output_.move_to_front();
  }
  return {output_.at(output_.end), pool_->buffer_bytes_ - output_.end};
}

void Connection::commit_output(std::size_t bytes) noexcept {
  STADION_ASSERT(bytes <= pool_->buffer_bytes_ - output_.end);
  output_.end += bytes;
}

bool Connection::write_by_reference(std::string_view bytes) noexcept {
  if (has_output_elsewhere() || lacks_memory()) {
    return false;
  }
  referenced_ = bytes;
  return true;
}

bool Connection::write_file(int descriptor, std::uint64_t offset, std::uint64_t bytes) noexcept {
  STADION_ASSERT(offset <= kFileBytesMax && bytes <= kFileBytesMax);
  if (has_output_elsewhere() || lacks_memory()) {
    return false;
  }
  file_ = {.descriptor = descriptor, .offset = offset, .bytes = bytes};
  return true;
}

void Connection::begin_to_wait_for_room(Clock::time_point now) noexcept {
  if (!is_write_timed_) {
    is_write_timed_ = true;
    has_write_baseline_ = false;
    write_began_ = now;
  }
}

void Connection::note_sent(std::size_t bytes) noexcept {
  const std::size_t from_buffer = std::min(bytes, output_.size());
  output_.drop_front(from_buffer);
  referenced_.remove_prefix(bytes - from_buffer);
}

void Connection::note_file_sent(std::size_t bytes) noexcept {
  file_.offset += bytes;
  file_.bytes -= bytes;
}

void Connection::flush() {
  if (!in_handler_) {
    pool_->move_on(*this, SocketPool::Sending::later);
  }
}

void Connection::notify() { pool_->tell_handler(*this, &ConnectionHandler::on_notify); }

void Connection::close() {
  if (in_handler_) {
    closes_ = true;
  } else {
    pool_->remove(*this);
  }
}

}  // namespace stadion::pool
