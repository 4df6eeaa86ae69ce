// SPDX-License-Identifier: MIT
#include "apps/bench/http/measure.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <regex>
#include <stdexcept>

#include "apps/bench/machine.hpp"
#include "apps/bench/server_process.hpp"

namespace stadion::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = 1024 * 1024;
constexpr std::size_t kFileMebibytes = 100;
constexpr std::size_t kServerCore = 0;
constexpr std::size_t kLoadCore = 1;
/// Of the shorter run that is counted; the longer makes three times as many.
constexpr std::size_t kCountedRequests = 6'400;

Load load_for(const Contestant& contestant, const Work& work, std::uint16_t port) {
  const std::string& target = work.target == "/plaintext" ? contestant.plaintext : work.target;
  const bool has_body = work.request_body_bytes > 0;
  std::string request = (has_body ? "POST " : "GET ") + target +
                        " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) + "\r\n";
  if (has_body) {
    request += "Content-Length: " + std::to_string(work.request_body_bytes) + "\r\n";
  }
  request += "\r\n" + std::string(work.request_body_bytes, 'r');
  return {.port = port,
          .request = std::move(request),
          .connections = work.connections,
          .pipeline = work.pipeline,
          .body = work.body};
}

void write_file(const fs::path& path, std::string_view piece, std::size_t times) {
  std::ofstream file(path, std::ios::binary);
  for (std::size_t i = 0; i < times; ++i) {
    file << piece;
  }
  if (!file.flush()) {
    throw std::runtime_error("cannot write " + path.string());
  }
}

void allow_many_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

[[noreturn]] void fail(const Contestant& contestant, const std::string& what) {
  throw std::runtime_error(contestant.name + ": " + what);
}

/// The number that stands where the pattern has its group.
double number_in(const std::string& text, const char* pattern, const Contestant& contestant) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex(pattern))) {
    fail(contestant, "the tool that counts said: " + text);
  }
  return std::stod(found[1].str());
}

}  // namespace

struct Measurement::Observed {
  std::string printed;
  double requests = 0;
};

Measurement::Measurement() {
  allow_many_descriptors();
  pin_this_thread(kLoadCore);
  std::string name = (fs::temp_directory_path() / "stadion-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make " + name);
  }
  folder_ = name;
  fs::permissions(folder_, fs::perms::others_exec | fs::perms::others_read, fs::perm_options::add);
  const std::string mebibyte(kMebibyte, 'f');
  write_file(folder_ / "plaintext", "Hello, World!", 1);
  write_file(folder_ / "memory", mebibyte, 1);
  write_file(folder_ / "mebibyte", mebibyte, 1);
  write_file(folder_ / "file", mebibyte, kFileMebibytes);
}

Measurement::~Measurement() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

fs::path Measurement::output_of(const Contestant& contestant) const {
  return folder_ / ("output-of-" + std::to_string(std::hash<std::string>()(contestant.name)));
}

void Measurement::rates(const std::vector<Contestant>& contestants, const Work& work,
                        const RateOptions& options, Results& results) {
  struct Running {
    const Contestant& contestant;
    std::uint16_t port;
    ServerProcess server;
  };
  if (!options.pins) {
    unpin_this_thread();
  }
  std::vector<std::unique_ptr<Running>> all;
  for (const Contestant& contestant : contestants) {
    const std::uint16_t port = free_port();
    const ServerProcess::Options place{.core = options.pins ? std::optional(kServerCore)
                                                            : std::nullopt};
    all.push_back(std::unique_ptr<Running>(
        new Running{contestant, port,
                    ServerProcess(contestant.command(port, folder_, Start::alone), port,
                                  output_of(contestant), place)}));
  }
  for (int round = 0; round < options.rounds; ++round) {
    std::fprintf(stderr, "bench: round %d of %d\n", round + 1, options.rounds);
    for (const auto& running : all) {
      const std::string& name = running->contestant.name;
      try {
        LoadGenerator load(load_for(running->contestant, work, running->port));
        load.run_for(std::chrono::milliseconds(200));  // Fills its caches.
        const double cpu_before = running->server.cpu_seconds();
        const auto begin = std::chrono::steady_clock::now();
        const LoadFigures figures = load.run_for(std::chrono::duration<double>(options.seconds));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        const double cpu = running->server.cpu_seconds() - cpu_before;
        results.add(row::kRequestsPerSecond, name, figures.requests_per_second);
        results.add(row::kP50, name, figures.p50_us);
        results.add(row::kP99, name, figures.p99_us);
        results.add(row::kCpuPercent, name, cpu / took.count() * 100);
        results.add(row::kCpuNs, name, cpu / took.count() / figures.requests_per_second * 1e9);
      } catch (const LoadFailed& failure) {
        fail(running->contestant, failure.what());
      }
    }
  }
  pin_this_thread(kLoadCore);
}

// A server under a tool, asked so often at least, and ended.
Measurement::Observed Measurement::observe(const Contestant& contestant,
                                           const std::vector<std::string>& tool, const Work& work,
                                           std::size_t requests) {
  const std::uint16_t port = free_port();
  std::vector<std::string> command = tool;
  const auto own = contestant.command(port, folder_, Start::observed);
  command.insert(command.end(), own.begin(), own.end());
  const bool is_behind_tool = tool.front() == "strace";
  ServerProcess server(command, port, output_of(contestant), {.is_behind_tool = is_behind_tool});
  const std::size_t round_requests = work.connections * work.pipeline;
  const std::size_t rounds = (requests + round_requests - 1) / round_requests;
  try {
    LoadGenerator load(load_for(contestant, work, port));
    load.run_rounds(rounds);
  } catch (const LoadFailed& failure) {
    fail(contestant, failure.what());
  }
  return {server.stop(), static_cast<double>(rounds * round_requests)};
}

double Measurement::instructions(const Contestant& contestant, const Work& work) {
  const auto observed = [&](std::size_t requests) {
    return observe(contestant, {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"},
                   work, requests);
  };
  constexpr const char* kPattern = "Collected : ([0-9]+)";
  const Observed few = observed(kCountedRequests);
  const Observed many = observed(3 * kCountedRequests);
  return (number_in(many.printed, kPattern, contestant) -
          number_in(few.printed, kPattern, contestant)) /
         (many.requests - few.requests);
}

double Measurement::system_calls(const Contestant& contestant, const Work& work) {
  const auto observed = [&](std::size_t requests) {
    return observe(contestant, {"strace", "-f", "-c", "-U", "calls,name"}, work, requests);
  };
  constexpr const char* kPattern = "([0-9]+) total";
  const Observed few = observed(kCountedRequests);
  const Observed many = observed(3 * kCountedRequests);
  return (number_in(many.printed, kPattern, contestant) -
          number_in(few.printed, kPattern, contestant)) /
         (many.requests - few.requests);
}

namespace {

/// A server that counts its allocations in a file.
class CountedServer {
 public:
  CountedServer(const Contestant& contestant, const fs::path& folder, const fs::path& output)
      : contestant_(contestant), port_(free_port()), counts_(folder / "counts") {
    write_file(counts_, std::string_view("\0\0\0\0\0\0\0\0", 8), 2);
    server_ = std::make_unique<ServerProcess>(
        contestant.command(port_, folder, Start::observed), port_, output,
        ServerProcess::Options{.environment = {"LD_PRELOAD=" STADION_BENCH_MALLOC_COUNTER,
                                               "STADION_BENCH_COUNTS=" + counts_.string()}});
  }

  std::unique_ptr<LoadGenerator> connect(const Work& work) const {
    return std::make_unique<LoadGenerator>(load_for(contestant_, work, port_));
  }
  Measurement::Allocations so_far() const {
    std::uint64_t numbers[2] = {};
    std::ifstream(counts_, std::ios::binary).read(reinterpret_cast<char*>(numbers), sizeof numbers);
    return {static_cast<double>(numbers[0]), static_cast<double>(numbers[1])};
  }

 private:
  const Contestant& contestant_;
  std::uint16_t port_;
  fs::path counts_;
  std::unique_ptr<ServerProcess> server_;
};

}  // namespace

Measurement::Allocations Measurement::allocations(const Contestant& contestant, const Work& work) {
  try {
    const CountedServer server(contestant, folder_, output_of(contestant));
    const auto load = server.connect(work);
    const std::size_t round_requests = work.connections * work.pipeline;
    const std::size_t rounds = std::max<std::size_t>(kCountedRequests / round_requests, 1);
    load->run_rounds(rounds);
    const Allocations before = server.so_far();
    load->run_rounds(rounds);
    const Allocations after = server.so_far();
    const auto requests = static_cast<double>(rounds * round_requests);
    return {(after.calls - before.calls) / requests, (after.bytes - before.bytes) / requests};
  } catch (const LoadFailed& failure) {
    fail(contestant, failure.what());
  }
}

double Measurement::allocations_per_connection(const Contestant& contestant) {
  const Work work{.target = "/plaintext", .connections = 500};
  try {
    const CountedServer server(contestant, folder_, output_of(contestant));
    server.connect(work);
    server.connect(work);
    const double before = server.so_far().calls;
    server.connect(work);
    return (server.so_far().calls - before) / static_cast<double>(work.connections);
  } catch (const LoadFailed& failure) {
    fail(contestant, failure.what());
  }
}

void Measurement::exercise(const Contestant& contestant, const std::vector<Work>& works,
                           std::size_t requests) {
  const std::uint16_t port = free_port();
  ServerProcess server(contestant.command(port, folder_, Start::observed), port,
                       output_of(contestant), {});
  try {
    for (const Work& work : works) {
      LoadGenerator load(load_for(contestant, work, port));
      load.run_rounds(requests / (work.connections * work.pipeline));
    }
  } catch (const LoadFailed& failure) {
    fail(contestant, failure.what());
  }
  server.stop();
}

double Measurement::idle_bytes(const Contestant& contestant, std::size_t connections) {
  const std::uint16_t port = free_port();
  const ServerProcess server(contestant.command(port, folder_, Start::alone), port,
                             output_of(contestant), {});
  try {
    Work work{.target = "/plaintext", .connections = 1};
    LoadGenerator first(load_for(contestant, work, port));
    first.run_rounds(1000);  // What is the server's own is there by then.
    const double before = server.resident_bytes();
    work.connections = connections;
    const LoadGenerator idle(load_for(contestant, work, port));
    return (server.resident_bytes() - before) / static_cast<double>(connections);
  } catch (const LoadFailed& failure) {
    fail(contestant, failure.what());
  }
}

}  // namespace stadion::bench
