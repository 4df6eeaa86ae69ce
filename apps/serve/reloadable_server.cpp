// SPDX-License-Identifier: MIT
#include "apps/serve/reloadable_server.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "apps/serve/routes.hpp"
#include "core/log.hpp"
#include "net/service_manager.hpp"

namespace stadion::serve {
namespace {

std::string url_of(const net::Endpoint& endpoint) {
  return endpoint.is_unix() ? endpoint.to_string() : "http://" + endpoint.to_string();
}

void notify_reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  net::notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

}  // namespace

ReloadableServer::ReloadableServer(
    std::function<Config()> read_config,
    std::function<void(const Config&, std::size_t workers)> apply_to_process)
    : read_config_(std::move(read_config)),
      apply_to_process_(std::move(apply_to_process)),
      signals_(signal_worker_, {SIGINT, SIGTERM, SIGHUP},
               [this](int signal) { on_signal(signal); }) {
  for (net::ListeningSocket& socket : net::inherited_listening_sockets()) {
    auto sockets = std::make_shared<std::vector<net::ListeningSocket>>();
    sockets->push_back(std::move(socket));
    doors_.push_back({.asked_for = {}, .sockets = std::move(sockets)});
    is_socket_activated_ = true;
  }
  signal_worker_.start();
}

ReloadableServer::~ReloadableServer() {
  signal_worker_.stop();
  signal_worker_.join();
}

void ReloadableServer::run() {
  start(read_config_());
  net::notify_service_manager("READY=1");
  log(LogLevel::info, "serving with " + std::to_string(current_->statistics().workers) +
                          " worker(s); stop with Ctrl-C");
  while (wait_for_reload()) {
    reload();
  }
  net::notify_service_manager("STOPPING=1");
  current_->wait();
  log(LogLevel::info,
      "stopped after " + std::to_string(current_->statistics().responses()) + " requests");
}

void ReloadableServer::on_signal(int signal) {
  const std::lock_guard lock(mutex_);
  if (signal == SIGHUP) {
    reload_wanted_ = true;
  } else {
    doors_.clear();  // So that the server's own sockets are the last, and their backlog is emptied.
    for (http::Server* server : {current_.get(), old_.get()}) {
      if (server != nullptr) {
        stop_wanted_ ? server->stop_now() : server->stop();
      }
    }
    stop_wanted_ = true;
  }
  signalled_.notify_one();
}

bool ReloadableServer::wait_for_reload() {
  std::unique_lock lock(mutex_);
  signalled_.wait(lock, [this] { return reload_wanted_ || stop_wanted_; });
  return std::exchange(reload_wanted_, false) && !stop_wanted_;
}

void ReloadableServer::reload() {
  notify_reloading();
  try {
    start(read_config_());
    old_->stop();
    log(LogLevel::info, "the configuration was read again, and is that of new connections");
  } catch (const std::exception& error) {
    log(LogLevel::error, std::string("the configuration stays as it was: ") + error.what());
  }
  net::notify_service_manager("READY=1");
  let_go_of_old();
}

void ReloadableServer::start(const Config& config) {
  auto server = std::make_unique<http::Server>(config.server);
  add_routes(*server, config);
  const std::size_t workers = server->statistics().workers;
  std::vector<Door> doors = doors_for(config, workers);
  for (const Door& door : doors) {
    std::vector<net::ListeningSocket> duplicates;
    for (const net::ListeningSocket& socket : *door.sockets) {
      duplicates.push_back(socket.duplicate());
    }
    server->listen(std::move(duplicates));
  }
  server->start();
  apply_to_process_(config, workers);
  for (Door& door : doors) {
    if (std::exchange(door.is_new, false)) {
      std::printf("listening on %s\n", url_of(door.sockets->front().local_endpoint()).c_str());
    }
  }
  std::fflush(stdout);
  const std::lock_guard lock(mutex_);
  old_ = std::exchange(current_, std::move(server));
  if (stop_wanted_) {
    doors.clear();
    current_->stop();
  }
  doors_ = std::move(doors);
}

// Those that are open already stay so, that whoever waits in their backlog is served.
std::vector<ReloadableServer::Door> ReloadableServer::doors_for(const Config& config,
                                                                std::size_t workers) {
  std::vector<Door> open;
  {
    const std::lock_guard lock(mutex_);
    open = doors_;
  }
  if (is_socket_activated_) {
    return open;
  }
  std::vector<Door> doors;
  for (const std::string& endpoint : config.listen) {
    const auto found = std::find_if(open.begin(), open.end(), [&endpoint](const Door& door) {
      return door.asked_for == endpoint;
    });
    if (found != open.end()) {
      doors.push_back(*found);
      open.erase(found);
    } else {
      auto sockets = net::ListeningSocket::open_group(net::Endpoint::parse(endpoint), workers,
                                                      {.reuse_port = config.server.reuse_port});
      doors.push_back(
          {.asked_for = endpoint,
           .sockets = std::make_shared<std::vector<net::ListeningSocket>>(std::move(sockets))});
    }
  }
  return doors;
}

void ReloadableServer::let_go_of_old() {
  if (old_ != nullptr) {
    old_->wait();
    const std::lock_guard lock(mutex_);
    old_.reset();
  }
}

}  // namespace stadion::serve
