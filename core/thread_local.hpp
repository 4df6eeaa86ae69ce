// SPDX-License-Identifier: MIT
#pragma once

/// For the few hot thread-local variables of core/ (460 bytes together): reached without a call also
/// from position-independent code. A library that is loaded at run time has 512 bytes for such ones.
#define STADION_HOT_THREAD_LOCAL __attribute__((tls_model("initial-exec"))) constinit thread_local
