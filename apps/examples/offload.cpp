// SPDX-License-Identifier: MIT

// stadion-example-offload: work that takes long goes to another thread, and has only so much time.
// Meanwhile the one thread that serves all connections answers whoever else asks.
//
//     curl http://127.0.0.1:8080/primes/1000000 & curl http://127.0.0.1:8080/quick

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <stadion/http/server.hpp>
#include <string_view>

using namespace std::chrono_literals;
using namespace stadion;
using http::Exchange, http::HttpError, http::Request, http::Response, http::Status;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTimeMax = 2s;
constexpr std::uint32_t kCandidatesPerLook = 1024;

bool is_prime(std::uint32_t number) {
  for (std::uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return number >= 2;
}

/// Primes below the limit.
///
/// A function on another thread is never stopped half-way, not even when its time is over or its
/// client gone: until it returns it holds one of the threads, and the others wait. So it looks at
/// the clock itself.
std::uint32_t count_primes(std::uint32_t limit, Clock::time_point deadline) {
  std::uint32_t count = 0;
  for (std::uint32_t number = 0; number < limit; ++number) {
    if (number % kCandidatesPerLook == 0 && Clock::now() > deadline) {
      throw http::DeadlinePassed();
    }
    count += is_prime(number) ? 1 : 0;
  }
  return count;
}

std::uint32_t limit_from(std::string_view text) {
  std::uint32_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw HttpError(Status::bad_request, "The limit is a number below 2^32.\n");
  }
  return limit;
}

Task<> primes(Exchange& exchange) {
  const std::uint32_t limit = limit_from(exchange.request().param("limit"));
  const Clock::time_point deadline = Clock::now() + kTimeMax;  // The wait for a thread counts.
  // Both are let pass, and become 503: DeadlinePassed, and PoolFull when too many wait already.
  const std::uint32_t count =
      co_await exchange.offload([limit, deadline] { return count_primes(limit, deadline); })
          .within(kTimeMax);
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%u primes below %u\n", count, limit);
  exchange.response().text({text, static_cast<std::size_t>(size)});
}

int main(int argc, char** argv) try {
  http::Server server({.workers = 1, .offload_threads = 2, .offload_queue_max = 8});
  server.get("/primes/{limit}", primes);
  server.get("/quick", [](const Request&, Response& response) { response.text("Quick.\n"); });

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << std::endl;
  server.run();
} catch (const std::exception& error) {
  std::cerr << "stadion-example-offload: " << error.what() << '\n';
  return 1;
}
