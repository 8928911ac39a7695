// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_finish.hpp"

#include "ezio/disk/partition_list.hpp"
#include "transfer_notes.hpp"

#include <fmt/format.h>

namespace ezio {

std::optional<IoFailure> TargetFinish::write(bool is_verified, bool is_last)
{
    const Image& image = m_torrent.image;
    if (!is_verified) {
        m_cleared = clear_signatures(m_target, image, m_torrent.source, m_options.stale_signatures,
                                     m_torrent.volumes);
    }
    if (!m_cleared.failure) {
        m_gpt = move_gpt(m_target, image, is_last ? m_options.gpt_copy : GptCopy::leave, m_target.replaced());
    }
    return m_cleared.failure ? m_cleared.failure : m_gpt.failure;
}

void TargetFinish::look_around()
{
    const auto size = m_target.size();
    if (size) {
        m_target.with_descriptor([&](int fd) {
            update_partitions(fd, *size);
            if (m_options.other_disks != nullptr) { // only for a block device
                const auto own = read_uuids(m_target.path(), fd, *size, m_torrent.image.sector_bytes);
                look_at_other_disks(own);
                tell_lvm(own);
            }
        });
    }
}

void TargetFinish::update_partitions(int fd, std::uint64_t size)
{
    if (m_options.rescan != nullptr) {
        const auto list = list_partitions(fd, size, m_torrent.image.sector_bytes);
        const auto partitions = list ? list->partitions : std::vector<ListedPartition>();
        m_partition_warning = m_options.rescan->bring_up_to_date(partitions);
    }
}

void TargetFinish::look_at_other_disks(const DiskUuids& own)
{
    constexpr milliseconds patience{2000}; // a sleeping disk may take longer and is skipped
    if (!own.uuids.empty()) {
        const auto others = m_options.other_disks->look(patience);
        m_twin_warning = describe_twins(own, others.disks);
        m_name_warning = describe_same_names(own, others.disks);
        m_unanswered = others.unanswered;
    }
}

void TargetFinish::tell_lvm(const DiskUuids& own)
{
    constexpr milliseconds patience{3000};
    if (m_options.volume_scan != nullptr && has_physical_volume(own)) {
        m_volume_fault = m_options.volume_scan->scan(patience);
    }
}

void TargetFinish::report(Reporter& reporter) const
{
    for (const std::string& warning : m_cleared.warnings) {
        reporter.warning(warning);
    }
    if (m_partition_warning) {
        reporter.warning(*m_partition_warning);
    }
    if (m_twin_warning) {
        reporter.warning(*m_twin_warning);
    }
    if (m_name_warning) {
        reporter.warning(*m_name_warning);
    }
    if (!m_unanswered.empty()) {
        reporter.note(fmt::format("{} does not answer: it may have the same UUIDs", m_unanswered));
    }
    if (m_volume_fault && m_volume_fault->empty()) {
        reporter.note(fmt::format("pvscan --cache has told LVM2 about {}", m_target.path()));
    } else if (m_volume_fault) {
        reporter.warning(fmt::format("LVM2 may not know yet what is on {} (pvscan --cache: {}); run pvscan "
                                     "--cache",
                                     m_target.path(), *m_volume_fault));
    }
    if (m_options.gpt_copy == GptCopy::leave && m_gpt.outcome == GptPlan::Outcome::movable) {
        reporter.warning(describe_gpt_copy(m_target.path()));
    }
    if (m_options.gpt_copy == GptCopy::move && describe_gpt_fault(m_gpt).empty()) {
        reporter.note(describe_gpt_move(m_target.path(), m_gpt));
    }
}

std::string TargetFinish::describe_failed_gpt_move() const
{
    const std::string fault = m_options.gpt_copy == GptCopy::move ? describe_gpt_fault(m_gpt) : "";
    return fault.empty() ? ""
                         : fmt::format("--expand-gpt: {} has the image, verified and synced, but {}",
                                       m_target.path(), fault);
}

} // namespace ezio
