// SPDX-License-Identifier: MIT
// A configuration file is read, or refused with a fault that names the file and the line. The input is
// the file.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "apps/serve/config.hpp"
#include "net/descriptor.hpp"
#include "tests/fuzz/expect.hpp"

using stadion::serve::Config;
using stadion::serve::ConfigError;
using stadion::serve::read_config;
using stadion::tests::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const stadion::net::Descriptor file(::memfd_create("config", MFD_CLOEXEC));
  expect(::write(file.get(), data, size) == static_cast<ssize_t>(size), "the file is written");
  const std::string name = "/proc/self/fd/" + std::to_string(file.get());
  try {
    const Config config = read_config(name);
    expect(config.server.workers <= 1024, "what is read is in its range");
    expect(config.server.buffer_bytes >= 2048, "what is read is in its range");
  } catch (const ConfigError& error) {
    expect(std::string(error.what()).starts_with(name + ":"), "a fault names the file");
  }
  return 0;
}
