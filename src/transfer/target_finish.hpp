// SPDX-License-Identifier: GPL-2.0-or-later
//
// The steps of a fetch around the last sync of its target, besides the image. Before the sync, stale
// signatures are cleared and a GPT is expanded, so that `complete` covers them, too. With --verify the image
// is verified first; the GPT follows and needs a sync of its own. After the last sync, the kernel and LVM2
// are told about the contents of the disk, and other disks with the same UUIDs are searched for.
#pragma once

#include "ezio/disk/clear_signatures.hpp"
#include "ezio/disk/move_gpt.hpp"
#include "ezio/disk/other_disks.hpp"
#include "ezio/report/reporter.hpp"
#include "ezio/target/target.hpp"
#include "ezio/torrent/torrent_file.hpp"
#include "ezio/transfer/transfer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ezio {

// Not thread-safe: write() and look_around() are called on the sync's thread, all others after that has
// ended.
class TargetFinish {
  public:
    // All references must outlive it.
    TargetFinish(const LoadedTorrent& torrent, Target& target, const TransferOptions& options)
        : m_torrent(torrent), m_target(target), m_options(options)
    {}

    // To be called before each sync: the last one, and the one before the verification.
    [[nodiscard]] std::optional<IoFailure> write(bool is_verified, bool is_last);

    // To be called after the last sync.
    void look_around();

    void report(Reporter& reporter) const;

    // Empty if the GPT was moved, or was not to be moved.
    [[nodiscard]] std::string describe_failed_gpt_move() const;

    [[nodiscard]] const std::vector<Signature>& wiped() const { return m_cleared.wiped; }

  private:
    void update_partitions(int fd, std::uint64_t size);
    void look_at_other_disks(const DiskUuids& own);
    void tell_lvm(const DiskUuids& own);

    const LoadedTorrent& m_torrent;
    Target& m_target;
    const TransferOptions& m_options;
    ClearedSignatures m_cleared;
    GptMove m_gpt;
    std::optional<std::string> m_partition_warning;
    std::optional<std::string> m_twin_warning;
    std::optional<std::string> m_name_warning;
    std::string m_unanswered;
    std::optional<std::string> m_volume_fault; // error from telling LVM2; empty text: none
};

} // namespace ezio
