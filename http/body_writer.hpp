// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace stadion::http {

/// Where the producer of a streamed body writes: the free part of the connection's output buffer.
///
/// Lifetime   The call that it is passed to.
class BodyWriter {
 public:
  explicit BodyWriter(std::span<char> room) noexcept : room_(room) {}

  /// Takes as much of the text as there is room for, and answers how much that was. What did not
  /// fit is for the producer's next call. At each call there is room for kBodyRoomMin bytes at
  /// least (less only at the end of a body whose length was given).
  std::size_t write(std::string_view text) noexcept {
    const std::size_t taken = std::min(text.size(), room().size());
    if (taken > 0) {
      std::memcpy(room().data(), text.data(), taken);
      written_ += taken;
    }
    return taken;
  }

  /// For writing in place, as read() does: fill some of the room, then commit as much.
  std::span<char> room() const noexcept { return room_.subspan(written_); }
  void commit(std::size_t bytes) noexcept { written_ += std::min(bytes, room().size()); }

  std::size_t written() const noexcept { return written_; }

 private:
  std::span<char> room_;
  std::size_t written_ = 0;
};

inline constexpr std::size_t kBodyRoomMin = 512;

/// Makes a streamed body, piece by piece.
class BodyProducer {
 public:
  virtual ~BodyProducer() = default;
  /// Writes some; false when that was the last of it.
  virtual bool produce(BodyWriter& out) = 0;
  /// Bytes that it has worked on so far, where that is much more than what it writes. After
  /// kBodyEffortAtOnce of them a call is to write something, and other connections have their turn.
  virtual std::uint64_t effort() const noexcept { return 0; }
};

/// Some milliseconds of compression.
inline constexpr std::size_t kBodyEffortAtOnce = 128 * 1024;

namespace detail {

template <class Function>
class ProducerOf final : public BodyProducer {
 public:
  explicit ProducerOf(Function function) : function_(std::move(function)) {}
  bool produce(BodyWriter& out) override { return function_(out); }

 private:
  Function function_;
};

}  // namespace detail
}  // namespace stadion::http
