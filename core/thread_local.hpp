// SPDX-License-Identifier: MIT
#pragma once

/// For the few hot thread-local variables of core/ (some 460 bytes together): reached without a call also
/// from position-independent code. A library that is loaded at run time has 512 bytes for such ones.
#if defined(__SANITIZE_ADDRESS__) || defined(STADION_UNDEFINED_SANITIZER)
// -fsanitize=undefined tests each address for null by the flags of the addition that makes it, which
// the linker turns into an instruction that sets none (GCC 12, GNU ld 2.40).
#define STADION_HOT_THREAD_LOCAL constinit thread_local
#else
#define STADION_HOT_THREAD_LOCAL __attribute__((tls_model("initial-exec"))) constinit thread_local
#endif
