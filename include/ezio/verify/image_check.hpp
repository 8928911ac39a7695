// SPDX-License-Identifier: GPL-2.0-or-later
//
// What of an image a target really holds, found out in the background.
//
// What has been written, be it by another process that has ended, must be on the medium and be read from
// there: what the kernel has in memory says nothing of a disk that has failed since.
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

    // Starts. `image` and `target` must outlive it; `wakeup` is notified when advance() has something to do.
    ImageCheck(const Image& image, Target& target, First first, Wakeup& wakeup);

    // Takes the next step if it is time. Returns whether it is over. Throws Error when the target fails.
    [[nodiscard]] bool advance();

    [[nodiscard]] std::uint64_t bytes_done() const { return m_scan ? m_scan->bytes_done() : 0; }

    struct Findings {
        std::vector<std::uint32_t> right;
        std::vector<std::uint32_t> wrong;
    };

    // What has been found since the last call, each in order. At any time.
    [[nodiscard]] Findings take_findings();

    // The pieces that are not the image's, in order. When it is over.
    [[nodiscard]] std::vector<std::uint32_t> wrong() const;

    // What the pieces are. When it is over.
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
