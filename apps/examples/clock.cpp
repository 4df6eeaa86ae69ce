// SPDX-License-Identifier: MIT

// stadion-example-clock: server-sent events. A page at / shows the server's time, which /events sends
// once per second for as long as the page is open.
//
//     curl -N http://127.0.0.1:8080/events

#include <chrono>
#include <ctime>
#include <exception>
#include <iostream>
#include <stadion/http/event_stream.hpp>
#include <stadion/http/server.hpp>
#include <string>

using namespace std::chrono_literals;
using namespace stadion;
using http::EventStream, http::Exchange, http::Request, http::Response;

constexpr char kPage[] = R"(<!DOCTYPE html>
<meta charset="utf-8">
<title>Clock</title>
<p id="time">…</p>
<script>
const time = document.getElementById("time");
const events = new EventSource("/events");
events.addEventListener("tick", (event) => { time.textContent = event.data; });
events.onerror = () => { time.textContent = "The server is away."; };
</script>
)";

Task<> send_time(Exchange& exchange) {
  EventStream events(exchange, {.retry = 3s, .keep_alive = 15s});
  // std::this_thread::sleep_for() would stop the Worker, and with it everybody's clock: what waits is
  // awaited. A loop without an end would hold up the server's: sleep() says when to leave it. When
  // the client leaves, send() or sleep() does not come back, and the destructors run.
  do {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    char text[32];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
    const std::string id = std::to_string(now);
    co_await events.send({.data = {text, size}, .event = "tick", .id = id});
  } while (co_await events.sleep(1s));
}

int main(int argc, char** argv) try {
  http::Server server;
  server.get("/events", send_time);
  server.get("/", [](const Request&, Response& response) { response.html(kPage); });

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << std::endl;
  server.run();
} catch (const std::exception& error) {
  std::cerr << "stadion-example-clock: " << error.what() << '\n';
  return 1;
}
