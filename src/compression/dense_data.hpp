// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace ezio {

// Whether it is worth trying to compress what is asked for next: data that does not shrink comes in long
// stretches (packages, pictures, what is encrypted). After some units in a row that did not shrink, ever more
// is left out between tries. Not thread-safe.
class DenseData {
  public:
    void did_shrink() { m_in_a_row = 0; }
    void did_not_shrink();

    // A block is asked for. Returns whether it is to be left as it is.
    [[nodiscard]] bool leave_out();

  private:
    static constexpr unsigned unit_blocks = 8;
    static constexpr unsigned certain = 8;     // units in a row
    static constexpr unsigned tries = 4;       // after which twice as much is left out between them
    static constexpr unsigned most_units = 64; // that are left out between two tries

    [[nodiscard]] unsigned units_left_out() const;

    unsigned m_in_a_row = 0; // units that did not shrink
    unsigned m_position = 0; // in the cycle of a try, and what is left out
    bool m_counts = true;    // what does not shrink: many are on their way at once, and a try counts once
};

} // namespace ezio
