// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace ezio {

// Decides whether compressing the next block is worth a try. Data that does not shrink comes in long
// stretches (packages, pictures, encrypted data). After several units in a row that did not shrink, ever more
// are skipped between tries. Not thread-safe.
class DenseData {
  public:
    void did_shrink() { m_in_a_row = 0; }
    void did_not_shrink();

    // Whether the latest units did not shrink.
    [[nodiscard]] bool is_likely() const { return m_in_a_row >= certain; }

    // A block was requested. Returns whether to leave it uncompressed.
    [[nodiscard]] bool leave_out();

  private:
    static constexpr unsigned unit_blocks = 8;
    static constexpr unsigned certain = 8;     // units in a row without skipping
    static constexpr unsigned tries = 4;       // after which twice as many are skipped
    static constexpr unsigned most_units = 64; // most units skipped between two tries

    [[nodiscard]] unsigned units_left_out() const;

    unsigned m_in_a_row = 0; // units that did not shrink
    unsigned m_position = 0; // in the cycle of one try and the skipped units
    bool m_counts = true;    // whether the next failure counts: of several in progress, only one does
};

} // namespace ezio
