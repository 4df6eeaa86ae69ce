// SPDX-License-Identifier: MIT

// stadion-example-files: serves the files of a folder, the current one unless another is given.
//
//     stadion-example-files 127.0.0.1:8080 ./public

#include <exception>
#include <iostream>
#include <stadion/http/server.hpp>
#include <stadion/http/static_files.hpp>
#include <string>

using namespace stadion;

int main(int argc, char** argv) try {
  http::Server server({.workers = 0});  // One per processor.
  // A handler that opens folder + path sends /etc/passwd to whoever asks for "..%2f..%2fetc/passwd",
  // and .git/config to the rest. Nothing outside of the folder can be had from static_files(), not by
  // ".." and not by a symbolic link, nor what begins with a dot. A download that broke off is resumed
  // where it did: ranges and conditions are answered without a line here.
  const std::string folder = argc > 2 ? argv[2] : ".";
  server.get("/{*path}", http::static_files(folder, {.listing = true}));

  server.stop_on_signals();  // Before anybody is told that the server is there.
  const auto endpoint = server.listen(argc > 1 ? argv[1] : "127.0.0.1:8080");
  std::cout << "listening on http://" << endpoint.to_string() << std::endl;
  server.run();
} catch (const std::exception& error) {
  std::cerr << "stadion-example-files: " << error.what() << '\n';
  return 1;
}
