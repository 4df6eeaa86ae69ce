// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/arena.hpp"
#include "core/task.hpp"
#include "http/callback.hpp"
#include "http/failure.hpp"
#include "http/fields.hpp"
#include "http/offload.hpp"
#include "http/operation.hpp"
#include "http/operations.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "http/route_match.hpp"
#include "http/status.hpp"
#include "net/worker.hpp"

namespace stadion::http {

class Client;
class ExchangePool;
struct Service;
struct SessionContext;

/// A request, its response, and the arena that both live in: one lap of a connection.
///
/// A handler that is a coroutine takes it by reference, and waits on what it gives:
///
///     server.get("/slow", [](Exchange& exchange) -> Task<> {
///       co_await exchange.sleep(1s);
///       exchange.response().text("Good things take time.\n");
///     });
///
/// When the client leaves while the handler waits, the handler is ended at that `co_await`: what
/// lives in its frame is destroyed, as at a return. See survive_client() for one that has to go on.
///
/// Lifetime   Longer than the handler, its coroutines and whatever they wait for, whether or not the
///            client is still there. All of it is gone when the response's last byte has been
///            handed to the system (document Pattern 1).
/// Threads    Its Worker's alone, but for the arena, which allocates from any.
/// Throws     As Operation says; ArenaFailed.
class Exchange {
 public:
  /// The server makes them, one for each request.
  explicit Exchange(SessionContext& context);
  ~Exchange() = default;

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// The server's: what is asked. Lives in the arena.
  void set_request(const Request& request) noexcept { request_ = &request; }

  Arena& arena() noexcept { return arena_; }
  const Request& request() const noexcept { return *request_; }
  Response& response() noexcept { return response_; }
  const Response& response() const noexcept { return response_; }

  /// Answers with an error in place of what the response said so far: through the server's
  /// on_error(), and else with this text. `text` is not copied. Throws std::logic_error after the
  /// head was sent.
  void fail(Status status, std::string_view text);

  /// The client's address, "127.0.0.1:40000" or "[::1]:40000"; "unix:" from a Unix socket.
  std::string_view remote_address();
  /// How this request is called in logs; empty until it is set.
  std::string_view request_id() const noexcept { return request_id_; }
  void set_request_id(std::string_view id) { request_id_ = arena_.copy(id); }
  /// Who asks, for the access log, once somebody has found out; else empty.
  std::string_view user() const noexcept { return user_; }
  void set_user(std::string_view user) { user_ = arena_.copy(user); }

  /// From here on, for middleware: how long a coroutine may take to begin its response, in place of
  /// the route's handler_max; zero for no limit.
  void limit_time(std::chrono::milliseconds time) noexcept { handler_max_ = time; }

  /// Whether nobody awaits the response any more.
  bool client_is_gone() const noexcept { return client_is_gone_; }
  /// From here on a client that leaves does not end the handler. What has to do with the client
  /// (reading its body, writing to it) then throws ClientGone, everything else goes on.
  void survive_client() noexcept { survives_client_ = true; }
  /// Whether the server is on its way to stop: a handler without an end of its own should end soon.
  bool server_is_stopping() const noexcept;
  /// Whose thread this is, for timers and Asio operations of one's own.
  net::Worker& worker() const noexcept;

  /// Waits for at least this long.
  Sleep sleep(std::chrono::milliseconds time) noexcept { return {*this, time}; }
  /// Waits so long, or until the server is about to stop; gives whether it was the whole time.
  Pause pause(std::chrono::milliseconds time) noexcept { return {*this, time}; }

  /// The next piece of the request's body, at most the server's buffer_bytes; empty at its end. A
  /// piece is good until the next read. No more is taken from the client than is read here. For a
  /// route with BodyMode::streamed; for another the body comes in one piece.
  ReadBody read_body() {
    make_piece_room();
    return ReadBody(*this);
  }
  /// The body as a whole, up to the route's body_bytes_max; it is Request::body() then, too.
  /// Requires that no piece of it was read.
  ReceiveBody receive_body() noexcept { return ReceiveBody(*this); }

  /// Sends a piece of the response's body, and waits until the connection has room for it. The
  /// first piece sends the head: status and fields are settled from then on. The bytes must stay
  /// until it is done. Without Response::announce_length() the body is sent in chunks. Where there is
  /// no body (HEAD, 204, 304) the handler is ended at the first piece that is not empty. Throws
  /// std::logic_error after upgrade().
  WriteBody write(std::string_view bytes) {
    require_raw(false);
    return {*this, bytes};
  }
  /// Waits until all that was written has been handed to the system.
  FlushBody flush() noexcept { return FlushBody(*this); }

  /// Sends an interim response, such as 103 with its Link fields. Towards HTTP/1.0 it is left out
  /// (RFC 9110 section 15.2, RFC 8297). Throws std::invalid_argument for another status than 102 or
  /// 103, for a field that Response::header() would refuse, and after the head was sent.
  SendInterim send_interim(Status status, std::span<const Field> fields);

  /// Whether the client asks to go on with this protocol on this connection (RFC 9110 section 7.8).
  bool wants_upgrade(std::string_view protocol) const noexcept;
  /// Answers 101 with this protocol and the response's fields; from then on read_raw() and
  /// write_raw() are the connection, until the handler ends. Throws std::logic_error without
  /// wants_upgrade(), and before the request's body was read: it would be taken for the new
  /// protocol's.
  SendInterim upgrade(std::string_view protocol);
  /// What has arrived, at most buffer_bytes; empty when the client has ended its side. Good until
  /// the next read.
  ReadRaw read_raw() {
    require_raw(true);
    make_piece_room();
    return ReadRaw(*this);
  }
  /// Sends the bytes as they are; waits for room.
  WriteRaw write_raw(std::string_view bytes) {
    require_raw(true);
    return {*this, bytes};
  }

  /// Calls `function()` on a thread of the server's pool, for work that blocks or takes long, and
  /// gives what it returns or throws. Meanwhile the request and its arena are that thread's: the
  /// function may use them, and is the fastest to allocate. It is never stopped half-way.
  ///
  ///     const int answer = co_await exchange.offload([&] { return compute(exchange.arena()); });
  ///
  /// Throws what the function throws, and PoolFull when too much is waiting already.
  ///
  /// With GCC before 14 a lambda that holds more than references and numbers must have a name, and is
  /// then copied, or called by one that has not: `offload(work)`, `offload([&work] { return work();
  /// })`. So must those of callback().
  template <class Function>
  Offload<std::decay_t<Function>> offload(Function&& function) noexcept {
    static_assert(detail::is_safe_in_co_await<Function>(),
                  "GCC would destroy twice what this lambda holds: give it a name, and pass that");
    return {*this, std::forward<Function>(function)};
  }

  /// Waits for an operation of somebody else's that ends by calling a function, such as any of
  /// Asio's on worker().io_context():
  ///
  ///     auto [error, bytes] = co_await exchange.callback<std::error_code, std::size_t>(
  ///         [&](auto done) { socket.async_read_some(buffer, std::move(done)); },
  ///         [&] { socket.cancel(); });
  ///
  /// `start(done)` begins it; `done(values…)` may be called from any thread, at once or later, and
  /// must be called or destroyed. `stop()`, called once at the most, asks it to end early (client
  /// gone, deadline passed); the handler goes on, or is ended, when `done` was called. What Asio
  /// allocates for it comes from the request's arena. Throws Abandoned when `done` was destroyed
  /// uncalled.
  template <class... Values, class Start, class Stop>
  Callback<std::decay_t<Start>, std::decay_t<Stop>, Values...> callback(Start&& start,
                                                                        Stop&& stop) noexcept {
    static_assert(detail::is_safe_in_co_await<Start>() && detail::is_safe_in_co_await<Stop>(),
                  "GCC would destroy twice what this lambda holds: give it a name, and pass that");
    return {*this, std::forward<Start>(start), std::forward<Stop>(stop)};
  }

 private:
  friend class ExchangePool;
  friend class Operation;
  friend class Session;
  friend struct Service;

  /// Has the handler begin; is_handled() says whether it has come to its end.
  void start(Task<> task);
  bool is_handled() const noexcept { return !task_.is_valid() || task_.is_done(); }
  /// Has the handler go on if it can; false when it can't.
  bool advance();
  void resume();
  /// What the handler threw, once it is handled.
  void take_result();
  /// Ends the handler where it waits, or as soon as what it waits for lets it.
  void end_handler() noexcept;
  /// Nobody waits for the handler's end any more, and it has come to it.
  void end_without_client() noexcept;
  /// What to record of an exchange whose client has left, when it has ended.
  struct Loss {
    Status status = Status::client_closed_request;
    std::uint64_t body_bytes = 0;
    bool is_logged = false;   ///< As something was asked.
    bool is_counted = false;  ///< As a handler was to answer.
  };

  /// From here on there is no client.
  void lose_client(const Loss& loss) noexcept;
  void count_end(Status status) noexcept;
  void log_access(Status status, std::uint64_t body_bytes) noexcept;
  void tell_access_log(Status status, std::uint64_t body_bytes) noexcept;
  /// Throws std::logic_error unless the connection is, or is not, the handler's.
  void require_raw(bool is_raw) const;
  /// The same, and nothing survives.
  void give_up() noexcept;
  void wake() noexcept;
  /// A blank request where none could be read.
  void ensure_request() noexcept;
  void make_piece_room();

  SessionContext* context_;
  Arena arena_;
  Response response_;
  const Request* request_ = nullptr;
  RouteMatch match_;
  Client* client_ = nullptr;
  Task<> task_;
  Operation* waiting_ = nullptr;
  std::coroutine_handle<> waiter_;
  bool is_running_ = false;
  bool is_ending_ = false;
  bool client_is_gone_ = false;
  bool survives_client_ = false;
  bool is_failing_ = false;  ///< on_error() is being asked.
  Loss loss_;
  std::optional<std::chrono::milliseconds> handler_max_;
  std::chrono::steady_clock::time_point began_{};  ///< Where there is an access log.
  std::span<char> piece_room_;
  std::string_view remote_address_;
  std::string_view request_id_;
  std::string_view user_;
  Exchange* previous_ = nullptr;  ///< In the pool's list.
  Exchange* next_ = nullptr;
};

}  // namespace stadion::http
