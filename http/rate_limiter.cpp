// SPDX-License-Identifier: MIT
#include "http/rate_limiter.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace stadion::http {
namespace {

constexpr double kRateMin = 1.0 / 86'400;
constexpr double kRateMax = 1e6;
constexpr std::chrono::hours kFillMax{30 * 24};

RateLimiter::Clock::duration interval_of(double requests_per_second) {
  if (!(requests_per_second >= kRateMin && requests_per_second <= kRateMax)) {
    throw std::invalid_argument(
        "rate limiter: requests_per_second is not within a request per day "
        "and a million per second");
  }
  return std::chrono::duration_cast<RateLimiter::Clock::duration>(
      std::chrono::duration<double>(1 / requests_per_second));
}

RateLimiter::Clock::duration capacity_of(RateLimiter::Clock::duration interval,
                                         std::uint32_t burst) {
  if (burst < 1 || burst > kFillMax / interval) {
    throw std::invalid_argument(
        "rate limiter: burst is not within 1 and what comes within 30 days");
  }
  return interval * burst;
}

std::size_t checked_keys(std::size_t keys_max) {
  if (keys_max < 1 || keys_max > kRateLimiterKeysMax) {
    throw std::invalid_argument("rate limiter: keys_max is not within 1 and 16,000,000");
  }
  return keys_max;
}

}  // namespace

RateLimiter::RateLimiter(RateLimiterOptions options, HashSeed seed)
    : seed_(seed),
      interval_(interval_of(options.requests_per_second)),
      capacity_(capacity_of(interval_, options.burst)),
      buckets_(arena_.make_array<Bucket>(checked_keys(options.keys_max))),
      slots_(arena_.make_array<Index>(std::bit_ceil(options.keys_max))) {
  std::fill(slots_.begin(), slots_.end(), kNone);
}

RateVerdict RateLimiter::admit(std::string_view key, Clock::time_point now) noexcept {
  Bucket& bucket = bucket_for(siphash(key, seed_), now);
  const Clock::time_point full_at = std::max(bucket.full_at, now) + interval_;
  const Clock::duration too_much = full_at - now - capacity_;
  if (too_much > Clock::duration::zero()) {
    return {.is_allowed = false, .retry_after = std::chrono::ceil<std::chrono::seconds>(too_much)};
  }
  bucket.full_at = full_at;
  return {};
}

RateLimiter::Bucket& RateLimiter::bucket_for(std::uint64_t hash, Clock::time_point now) noexcept {
  Index index = find(hash);
  if (index == kNone) {
    index = take_free(now);
    buckets_[index].hash = hash;
    buckets_[index].next_of_slot = slot_of(hash);
    slot_of(hash) = index;
    link_as_newest(index);
  } else if (index != newest_) {
    unlink_by_age(index);
    link_as_newest(index);
  }
  return buckets_[index];
}

RateLimiter::Index RateLimiter::find(std::uint64_t hash) const noexcept {
  Index index = slots_[hash & (slots_.size() - 1)];
  while (index != kNone && buckets_[index].hash != hash) {
    index = buckets_[index].next_of_slot;
  }
  return index;
}

/// A full bucket that is in no list.
RateLimiter::Index RateLimiter::take_free(Clock::time_point now) noexcept {
  Index index = static_cast<Index>(size_);
  if (size_ < buckets_.size()) {
    ++size_;
  } else {
    index = oldest_;
    unlink_from_slot(index);
    unlink_by_age(index);
  }
  buckets_[index].full_at = now;
  return index;
}

void RateLimiter::unlink_from_slot(Index index) noexcept {
  Index* at = &slot_of(buckets_[index].hash);
  while (*at != index) {
    at = &buckets_[*at].next_of_slot;
  }
  *at = buckets_[index].next_of_slot;
}

void RateLimiter::unlink_by_age(Index index) noexcept {
  const Bucket& bucket = buckets_[index];
  (bucket.newer == kNone ? newest_ : buckets_[bucket.newer].older) = bucket.older;
  (bucket.older == kNone ? oldest_ : buckets_[bucket.older].newer) = bucket.newer;
}

void RateLimiter::link_as_newest(Index index) noexcept {
  buckets_[index].newer = kNone;
  buckets_[index].older = newest_;
  (newest_ == kNone ? oldest_ : buckets_[newest_].newer) = index;
  newest_ = index;
}

}  // namespace stadion::http
