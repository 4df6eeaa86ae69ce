// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

namespace stadion::http {

/// What an exchange's operations do with the client, as long as there is one: the session's side of
/// a handler's co_await. Nothing here waits; what is not possible yet is tried again when the
/// connection has moved on. Internal to http/.
class Client {
 public:
  enum class Read {
    piece,  ///< There is a piece.
    end,
    not_yet,
  };

  /// Writes the next piece of the request's body to `room`, or gives a body that is there as a whole.
  virtual Read read_body(std::span<char> room, std::string_view& piece) noexcept = 0;
  /// Has the whole body gathered in the arena; true when it is there.
  virtual bool receive_body() noexcept = 0;
  /// Whether nothing of the request's body is still to be read.
  virtual bool is_body_read() const noexcept = 0;
  /// Sends as much of `bytes` as there is room for, and takes it off their front; true when that was
  /// all of it. Sends the head first.
  virtual bool write_body(std::string_view& bytes) noexcept = 0;
  /// Hands what was written to the system; true when it has it.
  virtual bool flush() noexcept = 0;
  /// Sends a whole interim response, the head of 101 among them; false while there is no room.
  virtual bool send_interim(std::string_view head) noexcept = 0;
  /// From here on the connection is the handler's, as it is.
  virtual bool become_raw() noexcept = 0;
  virtual Read read_raw(std::span<char> room, std::string_view& piece) noexcept = 0;
  virtual bool write_raw(std::string_view& bytes) noexcept = 0;
  /// What was being waited for is not any more, though it has not come: its deadline has passed.
  virtual void on_given_up() noexcept = 0;
  /// As net::Endpoint writes it.
  virtual std::string_view remote_address() = 0;
  /// What the handler waits for may be there.
  virtual void on_wake() noexcept = 0;

 protected:
  ~Client() = default;
};

}  // namespace stadion::http
