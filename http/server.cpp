// SPDX-License-Identifier: MIT
#include "http/server.hpp"

#include <atomic>
#include <csignal>
#include <exception>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/finally.hpp"
#include "http/service.hpp"
#include "http/shard.hpp"
#include "net/listener.hpp"
#include "net/listening_socket.hpp"
#include "net/signals.hpp"
#include "net/thread_pool.hpp"
#include "net/worker_group.hpp"

namespace stadion::http {
namespace {

using Clock = std::chrono::steady_clock;

/// There must be room for a piece of a streamed body and its framing; twice that leaves some for a
/// head.
constexpr std::size_t kBufferBytesMin = 2048;
constexpr std::size_t kBufferBytesMax = 16 * 1024 * 1024;

void require(bool holds, const char* what) {
  if (!holds) {
    throw std::invalid_argument(std::string("server options: ") + what);
  }
}

const ServerOptions& checked(const ServerOptions& options) {
  require(options.buffer_bytes >= kBufferBytesMin && options.buffer_bytes <= kBufferBytesMax,
          "buffer_bytes is from 2048 to 16777216");
  require(options.connections_max > 0 && options.connections_max <= 1'000'000,
          "connections_max is from 1 to 1000000");
  require(options.workers <= 1024, "workers is at most 1024");
  require(options.accepts_per_second_max <= net::kAcceptsPerSecondMax,
          "accepts_per_second_max is at most 1000000");
  require(options.limits.head_bytes_max >= 64, "limits.head_bytes_max is at least 64");
  require(options.limits.request_memory_bytes_max / 4 >= options.limits.head_bytes_max,
          "limits.request_memory_bytes_max is at least four times head_bytes_max");
  require(options.limits.pipelined_requests_max > 0, "limits.pipelined_requests_max is at least 1");
  require(options.offload_threads > 0 && options.offload_threads <= 1024,
          "offload_threads is from 1 to 1024");
  require(options.offload_queue_max > 0, "offload_queue_max is at least 1");
  return options;
}

/// Listens for SIGINT and SIGTERM on a thread of its own.
class SignalControl {
 public:
  explicit SignalControl(Server& server)
      : signals_(worker_, {SIGINT, SIGTERM}, [&server, again = false](int /*signal*/) mutable {
          again ? server.stop_now() : server.stop();
          again = true;
        }) {
    worker_.start();
  }
  ~SignalControl() {
    worker_.stop();
    worker_.join();
  }

  SignalControl(const SignalControl&) = delete;
  SignalControl& operator=(const SignalControl&) = delete;

 private:
  net::Worker worker_{"signals"};
  net::SignalSet signals_;
};

}  // namespace

struct Server::State {
  explicit State(const ServerOptions& server_options)
      : service(checked(server_options)),
        workers(service.options.workers),
        thread_pool({.threads = service.options.offload_threads,
                     .queue_max = service.options.offload_queue_max}),
        sockets(workers.size()),
        metrics(workers.size()),
        shards(workers.size()),
        made(workers.size()),
        failures(workers.size()) {}

  Service service;
  std::vector<net::Endpoint> endpoints;
  net::WorkerGroup workers;
  net::ThreadPool thread_pool;  ///< Ends before the Workers that it comes back to.
  std::vector<std::vector<net::ListeningSocket>> sockets;  ///< Those of each Worker; until start().
  std::vector<WorkerMetrics> metrics;                      ///< One per Worker.
  std::mutex shards_mutex;                     ///< Guards the pointers, not what they point to.
  std::vector<std::unique_ptr<Shard>> shards;  ///< One per Worker, used on its thread.
  std::vector<std::promise<void>> made;        ///< When each is made, or cannot be:
  std::vector<std::exception_ptr> failures;    ///< for this reason.
  std::atomic<Clock::time_point> started{};    ///< The epoch before start().
  std::atomic<bool> is_serving = false;        ///< All shards are made.
  std::atomic<bool> is_stopping = false;
  std::unique_ptr<SignalControl> signals;

  bool is_started() const noexcept { return started.load() != Clock::time_point{}; }

  void make_shard(std::size_t index) noexcept {
    try {
      auto shard = std::make_unique<Shard>(workers[index], thread_pool, service, metrics[index]);
      for (net::ListeningSocket& socket : sockets[index]) {
        shard->listen(std::move(socket));
      }
      const std::lock_guard lock(shards_mutex);
      shards[index] = std::move(shard);
    } catch (...) {
      failures[index] = std::current_exception();
    }
    made[index].set_value();
  }

  /// On the shard's Worker, as the next one.
  void drain_shard(std::size_t index) {
    if (Shard* shard = shards[index].get()) {
      shard->drain(service.options.times.drain_max, [this, index] { end_shard(index); });
    } else {
      end_shard(index);
    }
  }

  /// The Worker's last act.
  void end_shard(std::size_t index) {
    if (Shard* shard = shards[index].get()) {
      shard->end([this, index] { destroy_shard(index); });
    } else {  // It could not be made.
      workers[index].stop();
    }
  }

  void destroy_shard(std::size_t index) {
    std::unique_ptr<Shard> ended;
    {
      const std::lock_guard lock(shards_mutex);
      ended = std::move(shards[index]);
    }
    ended.reset();
    workers[index].stop();
  }

  template <class Function>
  void post_to_each(Function function) {
    if (!is_serving) {
      return;  // start() looks at is_stopping when all shards are made.
    }
    for (std::size_t index = 0; index < workers.size(); ++index) {
      workers[index].post([this, function, index] { function(*this, index); });
    }
  }
};

Server::Server(const ServerOptions& options) : Server(std::make_unique<State>(options)) {}

Server::Server(std::unique_ptr<State> state)
    : Routes(state->service.router.routes()), state_(std::move(state)) {}

Server::~Server() {
  if (state_->is_started()) {
    stop_now();
    wait();
  }
}

Server& Server::on_error(ErrorHandler handler) {
  state_->service.on_error = std::move(handler);
  return *this;
}

Server& Server::access_log(AccessLog log) {
  state_->service.access_log = std::move(log);
  return *this;
}

const Router& Server::router() const noexcept { return state_->service.router; }

net::Endpoint Server::listen(std::string_view endpoint) {
  return listen(
      net::ListeningSocket::open_group(net::Endpoint::parse(endpoint), state_->workers.size(),
                                       {.reuse_port = state_->service.options.reuse_port}));
}

net::Endpoint Server::listen(std::vector<net::ListeningSocket> sockets) {
  if (sockets.empty()) {
    throw std::invalid_argument("listen() without a socket");
  }
  const net::Endpoint endpoint = sockets.front().local_endpoint();
  const std::size_t count = sockets.size();
  while (sockets.size() < state_->workers.size()) {
    sockets.push_back(sockets[sockets.size() - count].duplicate());
  }
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    state_->sockets[i % state_->workers.size()].push_back(std::move(sockets[i]));
  }
  state_->endpoints.push_back(endpoint);
  return endpoint;
}

const std::vector<net::Endpoint>& Server::endpoints() const noexcept { return state_->endpoints; }

void Server::start() {
  if (state_->is_started()) {
    return;
  }
  state_->started = Clock::now();
  // Each shard is made on its own Worker, so that its arena belongs to the thread that uses it.
  std::vector<std::future<void>> made;
  for (std::size_t index = 0; index < state_->workers.size(); ++index) {
    made.push_back(state_->made[index].get_future());
    state_->workers[index].post([state = state_.get(), index] { state->make_shard(index); });
  }
  {
    // However this ends: a Worker that was started has to be stopped.
    const auto serving = finally([this] { state_->is_serving = true; });
    state_->workers.start();
    for (auto& shard : made) {
      shard.wait();
    }
  }
  for (std::exception_ptr& failure : state_->failures) {
    if (failure != nullptr) {
      std::rethrow_exception(std::exchange(failure, nullptr));
    }
  }
  if (state_->is_stopping) {
    stop();
  }
}

void Server::stop() {
  state_->is_stopping = true;
  state_->post_to_each([](State& state, std::size_t index) { state.drain_shard(index); });
}

void Server::stop_now() {
  state_->is_stopping = true;
  state_->post_to_each([](State& state, std::size_t index) { state.end_shard(index); });
}

void Server::wait() {
  state_->workers.join();
  state_->signals.reset();
}

void Server::stop_on_signals() {
  if (state_->signals == nullptr) {
    state_->signals = std::make_unique<SignalControl>(*this);
  }
}

void Server::run() {
  stop_on_signals();
  start();
  wait();
}

ServerStatistics Server::statistics() const {
  ServerStatistics statistics;
  for (const WorkerMetrics& metrics : state_->metrics) {
    statistics.add(metrics);
  }
  const std::lock_guard lock(state_->shards_mutex);
  for (const auto& shard : state_->shards) {
    if (shard != nullptr) {
      statistics.connections += shard->connections();
    }
  }
  statistics.workers = state_->workers.size();
  if (state_->is_started()) {
    statistics.uptime_seconds =
        std::chrono::duration<double>(Clock::now() - state_->started.load()).count();
  }
  statistics.arenas_live = Arena::debug_live_count();
  statistics.arena_bytes_live = Arena::debug_live_bytes();
  return statistics;
}

}  // namespace stadion::http
