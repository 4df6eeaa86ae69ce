// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stadion/core/hash_table.hpp>
#include <stadion/pool/socket_pool.hpp>
#include <string_view>

namespace stadion::embed {

using pool::Connection, std::string_view;

inline constexpr std::size_t kLineBytesMax = 4096;
inline constexpr std::size_t kStoreBytesMax = 256 * 1024 * 1024;

/// Keys and values in one arena. What is overwritten or deleted stays behind as waste; when the arena has
/// doubled since the last time, or is full and a good part of it waste, the living are copied to a new one
/// and the old one is disposed.
class Store {
 public:
  const string_view* get(string_view key) { return contents_->table.find(key); }

  void set(string_view key, string_view value) {
    if (contents_->arena.bytes_used() > 2 * compacted_bytes_ + 1024 * 1024) compact();
    try {
      put(key, value);
    } catch (const ArenaFailed&) {
      if (waste_bytes_ < kStoreBytesMax / 16) throw;
      compact();
      put(key, value);
    }
  }

  bool erase(string_view key) {
    if (const string_view* value = get(key)) waste_bytes_ += key.size() + value->size();
    return contents_->table.erase(key);
  }

  std::size_t size() const { return contents_->table.size(); }
  std::size_t compactions() const { return compactions_; }

 private:
  struct Contents {
    Arena arena{{.limit_bytes = kStoreBytesMax}};
    HashTable<string_view, string_view> table{arena};
  };

  void put(string_view key, string_view value) {
    const string_view own_key = contents_->arena.copy(key);
    const string_view own_value = contents_->arena.copy(value);
    erase(key);
    contents_->table.try_emplace(own_key, own_value);
  }

  void compact() {
    auto living = std::make_unique<Contents>();
    contents_->table.for_each([&to = *living](string_view key, string_view value) {
      to.table.try_emplace(to.arena.copy(key), to.arena.copy(value));
    });
    contents_ = std::move(living);
    compacted_bytes_ = contents_->arena.bytes_used();
    waste_bytes_ = 0;
    ++compactions_;
  }
  std::unique_ptr<Contents> contents_ = std::make_unique<Contents>();
  std::size_t compacted_bytes_ = 0;  ///< Used right after the last time,
  std::size_t waste_bytes_ = 0;      ///< and overwritten or deleted since then.
  std::size_t compactions_ = 0;
};

class KeyValueService final : public pool::ConnectionHandler {
 public:
  void on_input(Connection& connection) override { serve_lines(connection); }
  void on_input_end(Connection& connection) override { serve_lines(connection); }
  void on_output_sent(Connection& connection) override { serve_lines(connection); }

 private:
  // An answer is no longer than a line. Without room for one, on_output_sent() goes on.
  void serve_lines(Connection& connection) {
    while (!connection.is_closing() && connection.output_room().size() > kLineBytesMax) {
      const string_view input = connection.input().substr(0, kLineBytesMax);
      const std::size_t end = input.find('\n');
      if (end == string_view::npos) {
        const bool too_long = input.size() == kLineBytesMax;
        if (too_long) connection.write("ERROR a line has at most 4096 bytes\n");
        if (too_long || connection.input_ended()) connection.close_after_output();
        return;
      }
      const bool has_cr = end > 0 && input[end - 1] == '\r';
      connection.write(answer(connection, input.substr(0, has_cr ? end - 1 : end)));
      connection.write("\n");
      connection.consume(end + 1);
    }
  }

  string_view answer(Connection& connection, string_view line) {
    const string_view command = next_word(line);
    const string_view key = next_word(line);
    if (command == "QUIT") return connection.close_after_output(), "BYE";
    if (command == "STATS") {
      std::snprintf(stats_, sizeof stats_, "%zu keys, %zu connections, %zu compactions",
                    store_.size(), connection.pool().size(), store_.compactions());
      return stats_;
    }
    const bool has_key = !key.empty();
    if (has_key && command == "DEL") return store_.erase(key) ? "OK" : "NOT FOUND";
    if (has_key && command == "GET") return store_.get(key) ? *store_.get(key) : "NOT FOUND";
    if (has_key && command == "SET") try {
        return store_.set(key, line), "OK";
      } catch (const ArenaFailed&) {
        return "ERROR the store is full";
      }
    return "ERROR expected SET key value, GET key, DEL key, STATS or QUIT";
  }

  static string_view next_word(string_view& line) {
    const string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return word;
  }

  Store store_;
  char stats_[96];
};

}  // namespace stadion::embed
