// SPDX-License-Identifier: MIT
#include "http/exchange.hpp"

#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "core/assert.hpp"
#include "core/log.hpp"
#include "http/access_log.hpp"
#include "http/client.hpp"
#include "http/serializer.hpp"
#include "http/session_context.hpp"

namespace stadion::http {
namespace {

constexpr std::size_t kRequestChunkBytes = 16 * 1024;

}  // namespace

Exchange::Exchange(SessionContext& context)
    : context_(&context),
      arena_({.chunk_bytes = kRequestChunkBytes,
              .limit_bytes = context.service.options.limits.request_memory_bytes_max}),
      response_(arena_) {}

void Exchange::fail(Status status, std::string_view text) {
  if (response_.is_begun()) {
    throw std::logic_error("fail() after the head was sent");
  }
  context_->service.answer_failure(*this, {.status = status, .text = text});
}

bool Exchange::server_is_stopping() const noexcept { return context_->is_stopping; }

net::Worker& Exchange::worker() const noexcept { return context_->worker; }

SendInterim Exchange::send_interim(Status status, std::span<const Field> fields) {
  const bool is_interim = status == Status::processing || status == Status::early_hints;
  if (!is_interim || response_.is_begun()) {
    throw std::invalid_argument(is_interim ? "an interim response after the head of the final one"
                                           : "an interim response is 102 or 103");
  }
  if (request_->version() == Version::http_1_0) {
    return {*this, {}, SendInterim::Then::goes_on};
  }
  Response interim(arena_);
  interim.status(status);
  for (const Field& field : fields) {
    interim.header(field.name, field.value);
  }
  return {*this, write_interim_head(interim, arena_), SendInterim::Then::goes_on};
}

bool Exchange::wants_upgrade(std::string_view protocol) const noexcept {
  bool is_named = false;
  bool is_asked = false;
  for (const Field& field : request_->headers()) {
    const bool names = equals_ignoring_case(field.name, "upgrade");
    const bool asks = equals_ignoring_case(field.name, "connection");
    if (names || asks) {
      for_each_list_element(field.value, [&](std::string_view element) {
        is_named = is_named || (names && equals_ignoring_case(element, protocol));
        is_asked = is_asked || (asks && equals_ignoring_case(element, "upgrade"));
        return true;
      });
    }
  }
  return is_named && is_asked && request_->version() == Version::http_1_1;
}

SendInterim Exchange::upgrade(std::string_view protocol) {
  if (!wants_upgrade(protocol) || response_.is_begun()) {
    throw std::logic_error("upgrade() to a protocol that the client did not ask for");
  }
  if (client_ != nullptr && !client_->is_body_read()) {
    throw std::logic_error("upgrade() before the request's body was read");
  }
  response_.status(Status::switching_protocols).header("Upgrade", protocol);
  const std::string_view head = write_interim_head(response_, arena_);
  response_.begin();
  return {*this, head, SendInterim::Then::becomes_raw};
}

void Exchange::start(Task<> task) {
  task_ = std::move(task);
  is_running_ = true;
  task_.resume();
  is_running_ = false;
}

bool Exchange::advance() {
  if (waiting_ == nullptr) {
    return false;
  }
  if (waiting_->outcome_ == Operation::Outcome::open) {
    if (!waiting_->poll()) {
      return false;
    }
    waiting_->outcome_ = waiting_->at_end_;
  } else if (client_ != nullptr) {
    client_->on_given_up();
  }
  resume();
  return true;
}

void Exchange::resume() {
  STADION_ASSERT(!is_running_);
  waiting_ = nullptr;
  if (is_ending_) {
    task_.reset();
    return;
  }
  is_running_ = true;
  waiter_.resume();
  is_running_ = false;
}

void Exchange::take_result() {
  if (task_.is_valid()) {
    task_.take();
  }
}

void Exchange::end_handler() noexcept {
  is_ending_ = true;
  if (waiting_ != nullptr && waiting_->stop()) {
    resume();
  }
}

void Exchange::lose_client(const Loss& loss) noexcept {
  loss_ = loss;
  if (context_->service.access_log) {
    try {
      remote_address();  // As long as there is one.
    } catch (const ArenaFailed&) {
    }
  }
  client_ = nullptr;
  client_is_gone_ = true;
  if (is_handled()) {
    return end_without_client();
  }
  if (!survives_client_) {
    end_handler();
  } else if (waiting_ != nullptr && waiting_->needs_client() && waiting_->stop()) {
    waiting_->outcome_ = Operation::Outcome::client_gone;
  }
  wake();
}

void Exchange::give_up() noexcept {
  end_handler();
  wake();
}

void Exchange::ensure_request() noexcept {
  if (request_ == nullptr) {
    void* memory = arena_.try_alloc(sizeof(Request), alignof(Request));
    static_assert(std::is_trivially_destructible_v<Request>);
    request_ = memory != nullptr ? ::new (memory) Request(arena_) : &context_->blank_request;
  }
}

void Exchange::make_piece_room() {
  if (piece_room_.empty()) {
    const std::size_t bytes = context_->service.options.buffer_bytes;
    piece_room_ = {static_cast<char*>(arena_.alloc(bytes, 1)), bytes};
  }
}

std::string_view Exchange::remote_address() {
  if (remote_address_.empty() && client_ != nullptr) {
    remote_address_ = arena_.copy(client_->remote_address());
  }
  return remote_address_;
}

void Exchange::wake() noexcept {
  if (client_ != nullptr) {
    return client_->on_wake();
  }
  advance();
  if (is_handled()) {
    end_without_client();
  }
}

void Exchange::end_without_client() noexcept {
  try {
    take_result();
  } catch (const ClientGone&) {  // As it was to be expected.
  } catch (...) {
    context_->service.log_exception(*this, std::current_exception());
  }
  if (loss_.is_counted) {
    count_end(loss_.status);
  }
  if (loss_.is_logged) {
    log_access(loss_.status, loss_.body_bytes);
  }
  context_->exchanges.release(*this);
}

void Exchange::count_end(Status status) noexcept {
  context_->metrics.record_response(status);
  context_->metrics.request_memory.record(arena_.bytes_used());
}

void Exchange::log_access(Status status, std::uint64_t body_bytes) noexcept {
  if (context_->service.access_log) {
    tell_access_log(status, body_bytes);
  }
}

void Exchange::tell_access_log(Status status, std::uint64_t body_bytes) noexcept {
  using std::chrono::system_clock;
  const Request& request = *request_;
  const auto duration = std::chrono::steady_clock::now() - began_;
  try {
    context_->service.access_log({
        .remote_address = remote_address(),
        .user = user_,
        .time = system_clock::now() - std::chrono::duration_cast<system_clock::duration>(duration),
        .method = request.target().empty() ? std::string_view() : to_string(request.method()),
        .target = request.target(),
        .version = request.version() == Version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1",
        .status = code_of(status),
        .body_bytes_sent = body_bytes,
        .duration = duration,
        .request_id = request_id_,
        .referer = request.header("Referer").value_or(std::string_view()),
        .user_agent = request.header("User-Agent").value_or(std::string_view()),
        .arena_bytes = arena_.bytes_used(),
    });
  } catch (const std::exception& error) {
    log(LogLevel::error, {"the access log failed: ", error.what()});
  } catch (...) {
    log(LogLevel::error, "the access log failed");
  }
}

void Exchange::require_raw(bool is_raw) const {
  const bool is_now = response_.is_begun() && response_.status() == Status::switching_protocols;
  if (is_raw != is_now) {
    throw std::logic_error(is_raw ? "read_raw() or write_raw() without upgrade()"
                                  : "write() after upgrade()");
  }
}

}  // namespace stadion::http
