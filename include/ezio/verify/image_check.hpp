// SPDX-License-Identifier: GPL-2.0-or-later
//
// Determines in the background which pieces of an image a target really holds.
//
// Data that was written before, even by another process, is synced and read from the medium: the kernel's
// cache does not show whether a disk has failed since.
#pragma once

#include "ezio/image/image.hpp"
#include "ezio/target/background_sync.hpp"
#include "ezio/target/target.hpp"
#include "ezio/util/wakeup.hpp"
#include "ezio/verify/piece_scan.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace ezio {

class ImageCheck {
  public:
    enum class First {
        nothing,
        drop_cache,
        sync_and_drop_cache,
    };

    // Starts the check. `image` and `target` must outlive it; `wakeup` is notified when advance() has
    // something to do.
    ImageCheck(const Image& image, Target& target, First first, Wakeup& wakeup);

    // Takes the next step if it is due. Returns whether the check is over. Throws Error when the target
    // fails.
    [[nodiscard]] bool advance();

    [[nodiscard]] std::uint64_t bytes_done() const { return m_scan ? m_scan->bytes_done() : 0; }

    struct Findings {
        std::vector<std::uint32_t> right;
        std::vector<std::uint32_t> wrong;
    };

    // The findings since the last call, each list in order. May be called at any time.
    [[nodiscard]] Findings take_findings();

    // The pieces that differ from the image's, in order. Only when the check is over.
    [[nodiscard]] std::vector<std::uint32_t> wrong() const;

    // The digests of the pieces on the target. Only when the check is over.
    [[nodiscard]] const std::vector<Sha1Digest>& digests() const { return m_scan->digests(); }

  private:
    void start_scan();

    const Image& m_image;
    Target& m_target;
    Wakeup& m_wakeup;
    std::optional<BackgroundSync> m_sync;
    std::optional<PieceScan> m_scan;
};

} // namespace ezio
