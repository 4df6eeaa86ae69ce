// SPDX-License-Identifier: MIT
#include "http/shard.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string_view>

#include "http/router.hpp"
#include "net/listening_socket.hpp"
#include "net/worker.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/live_arenas.hpp"

namespace stadion::http {
namespace {

using tests::eventually;
using tests::HttpClient;
using tests::LiveArenas;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

/// A shard on a Worker of its own, as a server makes it.
class RunningShard {
 public:
  explicit RunningShard(const ServerOptions& options = {}) : service_(options) {
    service_.router.routes().get("/",
                                 [](const Request&, Response& response) { response.text("root"); });
    worker_.start();
    on_worker(
        [this] { shard_ = std::make_unique<Shard>(worker_, thread_pool_, service_, metrics_); });
  }
  ~RunningShard() {
    std::promise<void> ended;
    on_worker([&] { shard_->end([&ended] { ended.set_value(); }); });
    ended.get_future().wait();
    on_worker([this] { shard_.reset(); });
    worker_.stop();
    worker_.join();
  }

  net::Endpoint listen() {
    auto socket = net::ListeningSocket::open(net::Endpoint::parse("127.0.0.1:0"));
    const net::Endpoint endpoint = socket.local_endpoint();
    on_worker([&] { shard_->listen(std::move(socket)); });
    return endpoint;
  }
  std::future<void> drain(std::chrono::milliseconds timeout) {
    auto drained = std::make_shared<std::promise<void>>();
    on_worker([&] { shard_->drain(timeout, [drained] { drained->set_value(); }); });
    return drained->get_future();
  }
  const Shard& operator*() const noexcept { return *shard_; }
  const WorkerMetrics& metrics() const noexcept { return metrics_; }

 private:
  template <class Task>
  void on_worker(Task task) {
    std::promise<void> done;
    worker_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  Service service_;
  WorkerMetrics metrics_;
  net::Worker worker_{"shard"};
  net::ThreadPool thread_pool_;
  std::unique_ptr<Shard> shard_;
};

TEST_CASE_FIXTURE(LiveArenas, "shard: serves all of its listeners from one pool") {
  RunningShard shard;
  HttpClient first(shard.listen());
  HttpClient second(shard.listen());
  CHECK(first.exchange(kGet).body == "root");
  CHECK(second.exchange(kGet).body == "root");
  CHECK((*shard).connections().active == 2);
  CHECK((*shard).connections().added == 2);
  CHECK(eventually(
      [&] { return shard.metrics().responses_by_status[200 - kStatusMin].value() == 2; }));
}

TEST_CASE_FIXTURE(LiveArenas,
                  "shard: its sessions' memory is recycled: connections don't grow it") {
  RunningShard shard;
  const net::Endpoint endpoint = shard.listen();
  const auto serve_one = [&] {
    HttpClient client(endpoint);
    CHECK(client.exchange(kGet).status == 200);
    client.close();
    REQUIRE(eventually([&] { return (*shard).connections().active == 0; }));
  };
  serve_one();
  const std::size_t bytes = Arena::debug_live_bytes();
  for (int i = 0; i < 300; ++i) {
    serve_one();
  }
  CHECK(Arena::debug_live_bytes() == bytes);
}

TEST_CASE_FIXTURE(LiveArenas, "shard: drained without a connection it says so at once") {
  RunningShard shard;
  const net::Endpoint endpoint = shard.listen();
  CHECK(shard.drain(std::chrono::minutes(10)).wait_for(tests::kPatience) ==
        std::future_status::ready);
  CHECK_THROWS_AS(HttpClient{endpoint}, std::system_error);
}

TEST_CASE_FIXTURE(LiveArenas, "shard: drained when the last connection has gone") {
  RunningShard shard;
  HttpClient client(shard.listen());
  client.send("GET / HTTP/1.1\r\n");
  REQUIRE(eventually([&] { return (*shard).connections().bytes_in > 0; }));
  std::future<void> drained = shard.drain(std::chrono::minutes(10));
  CHECK(drained.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  client.send("Host: t\r\n\r\n");
  CHECK(client.read_response().body == "root");
  client.close();
  CHECK(drained.wait_for(tests::kPatience) == std::future_status::ready);
}

TEST_CASE_FIXTURE(LiveArenas, "shard: destroyed with connections open it closes them") {
  auto shard = std::make_unique<RunningShard>();
  HttpClient idle(shard->listen());
  CHECK(idle.exchange(kGet).body == "root");
  idle.send("GET ");
  shard.reset();
  CHECK(idle.is_at_end());
}

}  // namespace
}  // namespace stadion::http
