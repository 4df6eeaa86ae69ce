// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apps/serve/config.hpp"
#include "http/server.hpp"
#include "net/listening_socket.hpp"
#include "net/signals.hpp"
#include "net/worker.hpp"

namespace stadion::serve {

/// The example server as long as its process runs. On SIGHUP it reads its configuration again: a new
/// http::Server takes over the listening sockets, so that no connection is lost, and the old one lets its
/// requests end, as it would to stop. A configuration that cannot be served is logged, and nothing
/// changes. SIGINT and SIGTERM stop it; a second one stops it at once.
///
/// A reload that is asked for while the last one's old server is still at it comes after that.
class ReloadableServer {
 public:
  /// What systemd opened for the process is listened on instead of Config::listen.
  /// `apply_to_process` is for what is not of one server, such as the log; it is told how many Workers
  /// the server has.
  ReloadableServer(std::function<Config()> read_config,
                   std::function<void(const Config&, std::size_t workers)> apply_to_process);
  ~ReloadableServer();

  ReloadableServer(const ReloadableServer&) = delete;
  ReloadableServer& operator=(const ReloadableServer&) = delete;

  /// Until it is stopped. Throws when it cannot begin to serve.
  void run();

 private:
  /// What is listened on.
  struct Door {
    std::string asked_for;  ///< "HOST:PORT"; empty when inherited.
    std::shared_ptr<const std::vector<net::ListeningSocket>> sockets;
    bool is_new = true;
  };

  void on_signal(int signal);
  /// Whether to reload; else to stop.
  bool wait_for_reload();
  void reload();
  void start(const Config& config);
  std::vector<Door> doors_for(const Config& config, std::size_t workers);
  void let_go_of_old();

  std::function<Config()> read_config_;
  std::function<void(const Config&, std::size_t workers)> apply_to_process_;
  bool is_socket_activated_ = false;

  std::mutex mutex_;  ///< Guards the following.
  std::condition_variable signalled_;
  std::vector<Door> doors_;
  bool reload_wanted_ = false;
  bool stop_wanted_ = false;
  std::unique_ptr<http::Server> current_;
  std::unique_ptr<http::Server> old_;

  net::Worker signal_worker_{"signals"};
  net::SignalSet signals_;
};

}  // namespace stadion::serve
