// SPDX-License-Identifier: MIT
#pragma once

// A user's own header of the same name as one of Stadion's: neither may be mistaken for the other.
inline int users_own_arena() { return 42; }
