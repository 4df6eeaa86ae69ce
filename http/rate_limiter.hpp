// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/arena.hpp"
#include "core/hash.hpp"

namespace stadion::http {

/// How much each client may ask for.
struct RateLimiterOptions {
  /// In the long run. From one per day to a million. Default is 10.
  double requests_per_second = 10;
  /// So many at once, after a pause that was long enough. From 1, and no more than come within 30
  /// days at the rate above. Default is 20.
  std::uint32_t burst = 20;
  /// Clients that are told apart at a time, kRateLimiterKeysMax at most. Default is 10,000.
  std::size_t keys_max = 10'000;
};

inline constexpr std::size_t kRateLimiterKeysMax = 16'000'000;

/// Whether a request may pass, and if not when to come again.
struct RateVerdict {
  bool is_allowed = true;
  /// For Retry-After (RFC 9110 section 10.2.3): rounded up, so at least a second when refused.
  std::chrono::seconds retry_after{0};
};

/// Holds each client to a rate: a token bucket for each key, such as an address or a user.
///
///     const RateVerdict verdict = limiter.admit(address, steady_clock::now());
///     if (!verdict.is_allowed) {
///       response.status(Status::too_many_requests);
///
/// A refused request costs its client nothing: the wait does not become longer by asking. Keys are
/// any bytes. What belongs to one client should be one key: of an IPv6 address, the first 64 bits.
///
/// Lifetime   All memory is allocated by the constructor, in an arena of its own.
/// Threads    One at a time: one for each Worker, and a client that reaches several has each one's
///            rate.
/// Limits     Of more keys than keys_max the one that was not heard of for longest is forgotten: as
///            if its bucket were full. Who floods the limiter with keys frees others so, but holds
///            no memory. 36 to 40 bytes for each key, some 400 KiB for 10,000.
/// Throws     std::invalid_argument for options out of range; ArenaFailed. Only when made.
/// Cost       One hash and one step along two short lists; no memory is allocated. Keys are told
///            apart by 64 bits of a SipHash whose secret nobody knows: two keys that share a bucket
///            cannot be chosen, and are not met by accident.
/// Source     RFC 6585 section 4 (429); ITU-T I.371, the generic cell rate algorithm.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateLimiter(RateLimiterOptions options = {}, HashSeed seed = process_hash_seed());

  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Takes a token from the key's bucket, if there is one. `now` should not go backwards; where it
  /// does, the bucket fills later.
  RateVerdict admit(std::string_view key, Clock::time_point now) noexcept;

  /// Keys that are remembered.
  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return arena_.bytes_reserved(); }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = static_cast<Index>(-1);

  /// A bucket is one moment: when it will be full again. It is emptier the further off that is.
  struct Bucket {
    std::uint64_t hash;
    Clock::time_point full_at;
    Index next_of_slot;
    Index newer;
    Index older;
  };

  Bucket& bucket_for(std::uint64_t hash, Clock::time_point now) noexcept;
  Index find(std::uint64_t hash) const noexcept;
  Index take_free(Clock::time_point now) noexcept;
  Index& slot_of(std::uint64_t hash) noexcept { return slots_[hash & (slots_.size() - 1)]; }
  void unlink_from_slot(Index index) noexcept;
  void unlink_by_age(Index index) noexcept;
  void link_as_newest(Index index) noexcept;

  HashSeed seed_;
  Clock::duration interval_;                        ///< Between two tokens.
  Clock::duration capacity_;                        ///< What it takes to fill an empty bucket.
  Arena arena_{ArenaOptions{.chunk_bytes = 1024}};  // Its blocks are large ones, or it is small.
  std::span<Bucket> buckets_;
  std::span<Index> slots_;
  std::size_t size_ = 0;
  Index newest_ = kNone;
  Index oldest_ = kNone;
};

}  // namespace stadion::http
