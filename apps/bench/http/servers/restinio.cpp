// SPDX-License-Identifier: MIT
#include <cstdio>
#include <cstdlib>
#include <restinio/all.hpp>
#include <string>

#include "apps/bench/http/servers/arguments.hpp"
#ifdef STADION_BENCH_JSON
#include <boost/json.hpp>
#endif

namespace {

std::string folder;
const std::string mebibyte(1024 * 1024, 'b');

restinio::request_handling_status_t text(const restinio::request_handle_t& request,
                                         std::string body, const char* type) {
  return request->create_response()
      .append_header_date_field()
      .append_header(restinio::http_field::content_type, type)
      .set_body(std::move(body))
      .done();
}

restinio::request_handling_status_t answer(const restinio::request_handle_t& request) {
  const auto target = request->header().request_target();
  if (target == "/plaintext") {
    return text(request, "Hello, World!", "text/plain; charset=utf-8");
  }
#ifdef STADION_BENCH_JSON
  if (target == "/json") {
    const boost::json::object reply{{"message", "Hello, World!"}};
    return text(request, boost::json::serialize(reply), "application/json");
  }
#endif
  if (target == "/discard") {
    return text(request, "taken", "text/plain");
  }
  if (target == "/memory") {
    return request->create_response()
        .append_header(restinio::http_field::content_type, "text/plain")
        .set_body(restinio::const_buffer(mebibyte.data(), mebibyte.size()))
        .done();
  }
  return request->create_response()
      .set_body(restinio::sendfile(folder + std::string(target)))
      .done();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string version = std::to_string(RESTINIO_VERSION_MAJOR) + "." +
                              std::to_string(RESTINIO_VERSION_MINOR) + "." +
                              std::to_string(RESTINIO_VERSION_PATCH);
  const auto arguments = stadion::bench::read_arguments(argc, argv, version.c_str());
  folder = arguments.folder;
  using Traits =
      restinio::single_thread_traits_t<restinio::asio_timer_manager_t, restinio::null_logger_t>;
  restinio::run(restinio::on_this_thread<Traits>()
                    .address("127.0.0.1")
                    .port(arguments.port)
                    .max_pipelined_requests(64)
                    .read_next_http_message_timelimit(std::chrono::minutes(10))
                    .incoming_http_msg_limits(
                        restinio::incoming_http_msg_limits_t{}.max_body_size(8 * 1024 * 1024))
                    .request_handler(answer));
}
