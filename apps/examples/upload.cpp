// SPDX-License-Identifier: MIT

// stadion-example-upload: takes a body of up to 16 GiB, piece by piece, and answers its SHA-256. The
// memory for it is that of one piece, whatever its size: a client that sends faster has to wait.
//
//     curl --data-binary @image.iso http://127.0.0.1:8080/upload
//     generate | curl -T - -X POST http://127.0.0.1:8080/upload

#include <openssl/evp.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <span>
#include <stadion/http/server.hpp>
#include <stdexcept>

using namespace stadion;
using http::BodyMode, http::Exchange, std::string_view;

constexpr std::size_t kUploadBytesMax = std::size_t{16} << 30;

class Sha256 {
 public:
  Sha256() {
    check(context_ == nullptr ? 0 : EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  }

  void add(string_view bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  }

  /// The digest in hexadecimal digits; once.
  string_view finish(Arena& arena) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    check(EVP_DigestFinal_ex(context_.get(), digest, &size));
    const std::span<char> text = arena.make_array<char>(2 * size + 1);
    for (unsigned i = 0; i < size; ++i) {
      std::snprintf(&text[2 * i], 3, "%02x", digest[i]);
    }
    return {text.data(), 2 * size};
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  static void check(int is_done) {
    if (is_done != 1) throw std::runtime_error("libcrypto cannot make a SHA-256");
  }
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

Task<> upload(Exchange& exchange) {
  Sha256 hash;  // Freed also when the client leaves half-way: the coroutine is ended at co_await.
  std::uint64_t bytes = 0;
  // A piece is good until the next read, and this one line is the place to use it: to keep pieces,
  // in the arena or a container, would be to hold the whole body in memory after all.
  for (string_view piece; !(piece = co_await exchange.read_body()).empty();) {
    hash.add(piece);
    bytes += piece.size();
  }
  const string_view digest = hash.finish(exchange.arena());
  char answer[160];
  const int size = std::snprintf(answer, sizeof answer, "{\"sha256\":\"%.*s\",\"bytes\":%llu}\n",
                                 static_cast<int>(digest.size()), digest.data(),
                                 static_cast<unsigned long long>(bytes));
  exchange.response().json({answer, static_cast<std::size_t>(size)});
}

int main(int argc, char** argv) try {
  // A slower client is cut off: at the default, 1 KiB per second, it could stay for half a year.
  http::Server server({.times = {.body_bytes_per_second_min = 64 * 1024}});
  // An upload may take hours: a handler's time, a minute, begins anew with each piece.
  server.post("/upload", upload, {.body = BodyMode::streamed, .body_bytes_max = kUploadBytesMax});

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << std::endl;
  server.run();
} catch (const std::exception& error) {
  std::cerr << "stadion-example-upload: " << error.what() << '\n';
  return 1;
}
