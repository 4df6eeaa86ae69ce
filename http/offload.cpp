// SPDX-License-Identifier: MIT
#include "http/offload.hpp"

#include "net/thread_pool.hpp"

namespace stadion::http {

OffloadWork::OffloadWork(Exchange& exchange) noexcept
    : Operation(exchange), work_(&on_pool, this), return_(&on_worker, this) {}

// Before it is awaited, so that neither task is posted.
OffloadWork::OffloadWork(OffloadWork&& other) noexcept
    : Operation(std::move(other)), work_(&on_pool, this), return_(&on_worker, this) {}

bool OffloadWork::poll() noexcept {
  if (stage_ == Stage::here) {
    stage_ = Stage::away;
    bool is_taken = false;
    try {
      is_taken = thread_pool().post(work_);
    } catch (const std::exception&) {  // No threads to be had: as good as a full queue.
    }
    if (!is_taken) {
      stage_ = Stage::refused;
    }
  }
  return stage_ != Stage::away;
}

void OffloadWork::on_pool(void* work) {
  auto* self = static_cast<OffloadWork*>(work);
  self->arena().adopt();
  self->run();
  self->worker().post(self->return_);  // From here on it is the Worker's, and may be gone.
}

void OffloadWork::on_worker(void* work) {
  auto* self = static_cast<OffloadWork*>(work);
  self->arena().adopt();
  self->stage_ = Stage::back;
  self->wake();
}

void OffloadWork::check_work() const {
  check_outcome();
  if (stage_ == Stage::refused) {
    throw PoolFull();
  }
}

}  // namespace stadion::http
