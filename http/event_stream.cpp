// SPDX-License-Identifier: MIT
#include "http/event_stream.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <stdexcept>

namespace stadion::http {
namespace {

constexpr std::string_view kKeepAlive = ":\n\n";
constexpr std::size_t kRetryBytesMax = 32;

void check_line(const char* what, std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    throw std::invalid_argument(std::string("a server-sent event's ") + what +
                                " is one line without NUL");
  }
}

/// Calls `visit(line)` for each line of the text; they end with CRLF, LF or CR.
template <class Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    visit(text.substr(0, end));
    if (end == std::string_view::npos) {
      return;
    }
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
  }
}

/// Calls `put(text)` for each piece of the event.
template <class Put>
void write_event(const ServerEvent& event, Put&& put) {
  const auto field = [&put](std::string_view name, std::string_view value) {
    put(name);
    put(value);
    put("\n");
  };
  if (!event.id.empty()) {
    field("id: ", event.id);
  }
  if (!event.event.empty()) {
    field("event: ", event.event);
  }
  for_each_line(event.data, [&field](std::string_view line) { field("data: ", line); });
  put("\n");
}

}  // namespace

EventStream::EventStream(Exchange& exchange, EventStreamOptions options)
    : exchange_(&exchange), options_(options) {
  if (options.keep_alive <= std::chrono::milliseconds(0)) {
    throw std::invalid_argument("an event stream's keep_alive is a time");
  }
  exchange.response()
      .set_header("Content-Type", "text/event-stream")
      .set_header("Cache-Control", "no-store")
      .set_header("X-Accel-Buffering", "no");  // Tells nginx to pass on what comes.
}

std::string_view EventStream::last_event_id() const noexcept {
  return exchange_->request().header("Last-Event-ID").value_or(std::string_view());
}

// What is taken from the arena for one event goes back to it: a stream lives long.
Task<> EventStream::send(ServerEvent event) {
  check_line("event", event.event);
  check_line("id", event.id);
  std::size_t size = 0;
  write_event(event, [&size](std::string_view text) { size += text.size(); });

  const std::size_t room = size + kRetryBytesMax;
  char* const text = static_cast<char*>(arena().alloc(room, 1));
  char* end = text;
  const auto put = [&end](std::string_view piece) {
    end = std::copy(piece.begin(), piece.end(), end);
  };
  if (!has_begun_) {
    put("retry: ");
    end = std::to_chars(end, text + kRetryBytesMax, options_.retry.count()).ptr;
    put("\n");
    has_begun_ = true;
  }
  write_event(event, put);
  co_await exchange_->write({text, static_cast<std::size_t>(end - text)});
  if (exchange_->response().encoder() != nullptr) {  // It would hold the event back.
    co_await exchange_->flush();
  }
  (void)arena().extend(text, room, 0);
}

Task<bool> EventStream::sleep(std::chrono::milliseconds time) {
  if (!has_begun_) {
    co_await exchange_->write({});  // So that the client knows that it is connected.
  }
  while (time > options_.keep_alive) {
    const bool goes_on = co_await exchange_->pause(options_.keep_alive);
    if (!goes_on) {
      co_return false;
    }
    co_await exchange_->write(kKeepAlive);
    if (exchange_->response().encoder() != nullptr) {
      co_await exchange_->flush();
    }
    time -= options_.keep_alive;
  }
  const bool goes_on = co_await exchange_->pause(time);
  co_return goes_on;
}

}  // namespace stadion::http
