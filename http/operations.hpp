// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "http/operation.hpp"
#include "net/timer.hpp"

/// What the functions of Exchange give to be awaited, each described there.
namespace stadion::http {

class ReadBody final : public Awaitable<ReadBody> {
 public:
  explicit ReadBody(Exchange& exchange) noexcept : Awaitable(exchange) {}
  std::string_view await_resume() const { return check_outcome(), piece_; }

 private:
  bool poll() noexcept override;
  std::string_view piece_;
};

class ReceiveBody final : public Awaitable<ReceiveBody> {
 public:
  explicit ReceiveBody(Exchange& exchange) noexcept : Awaitable(exchange) {}
  std::string_view await_resume() const;

 private:
  bool poll() noexcept override;
};

class WriteBody final : public Awaitable<WriteBody> {
 public:
  WriteBody(Exchange& exchange, std::string_view bytes) noexcept
      : Awaitable(exchange), bytes_(bytes) {}
  void await_resume() const { check_outcome(); }

 private:
  bool poll() noexcept override;
  std::string_view bytes_;
};

class FlushBody final : public Awaitable<FlushBody> {
 public:
  explicit FlushBody(Exchange& exchange) noexcept : Awaitable(exchange) {}
  void await_resume() const { check_outcome(); }

 private:
  bool poll() noexcept override;
};

/// An interim response, 101 included.
class SendInterim final : public Awaitable<SendInterim> {
 public:
  enum class Then : bool { goes_on, becomes_raw };

  SendInterim(Exchange& exchange, std::string_view head, Then then) noexcept
      : Awaitable(exchange), head_(head), then_(then) {}
  void await_resume() const { check_outcome(); }

 private:
  bool poll() noexcept override;
  std::string_view head_;
  Then then_;
};

class ReadRaw final : public Awaitable<ReadRaw> {
 public:
  explicit ReadRaw(Exchange& exchange) noexcept : Awaitable(exchange) {}
  std::string_view await_resume() const { return check_outcome(), piece_; }

 private:
  bool poll() noexcept override;
  std::string_view piece_;
};

class WriteRaw final : public Awaitable<WriteRaw> {
 public:
  WriteRaw(Exchange& exchange, std::string_view bytes) noexcept
      : Awaitable(exchange), bytes_(bytes) {}
  void await_resume() const { check_outcome(); }

 private:
  bool poll() noexcept override;
  std::string_view bytes_;
};

/// Waits for a time.
class TimedWait : public Operation {
 protected:
  TimedWait(Exchange& exchange, std::chrono::milliseconds time) noexcept
      : Operation(exchange), time_(time) {}
  TimedWait(TimedWait&& other) noexcept : Operation(std::move(other)), time_(other.time_) {}

  bool poll() noexcept override;
  bool needs_client() const noexcept override { return false; }
  bool stop() noexcept override {
    timer_.reset();
    return true;
  }
  void end() {
    timer_.reset();
    check_outcome();
  }
  bool is_over() const noexcept { return is_over_; }

 private:
  static void on_time(void* wait);

  std::chrono::milliseconds time_;
  std::optional<net::Timer> timer_;
  bool is_over_ = false;
};

class Sleep final : public TimedWait {
 public:
  Sleep(Exchange& exchange, std::chrono::milliseconds time) noexcept : TimedWait(exchange, time) {}
  void await_resume() { end(); }

  Within<Sleep> within(std::chrono::milliseconds time) && noexcept {
    return Within<Sleep>(std::move(*this), time);
  }
};

class Pause final : public TimedWait {
 public:
  Pause(Exchange& exchange, std::chrono::milliseconds time) noexcept : TimedWait(exchange, time) {}
  bool await_resume() {
    end();
    return is_over();
  }

 private:
  bool poll() noexcept override;
};

}  // namespace stadion::http
