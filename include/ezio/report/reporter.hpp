// SPDX-License-Identifier: GPL-2.0-or-later
//
// Events. Commands and the transfer report what happens; the reporters alone decide where and how it is
// shown. Calls come one at a time: from the main thread, or, if that does not end, from the thread that
// watches its end.
#pragma once

#include "ezio/report/client_status.hpp"
#include "ezio/util/error.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ezio {

enum class Phase {
    metadata,    // a magnet link: getting the torrent from peers
    connecting,  // nothing received yet
    checking,    // hashing what the target already holds
    downloading, // receiving and writing
    syncing,     // everything is written; waiting for the medium
    verifying,   // hashing the contents of the medium
    seeding,     // serving others
    mapping,     // looking for the used blocks of a source
    hashing,     // reading the source for a new torrent
};

[[nodiscard]] std::string_view to_string(Phase phase);

struct StartEvent {
    std::string command; // "fetch", "seed", "verify", "create"
    std::string torrent; // path
    std::string target;  // path
    std::string name;
    std::string info_hash;
    std::string listen; // "10.0.0.1:6881, [::]:6881"; empty for commands without a network
    std::uint64_t payload_bytes = 0;
    std::uint64_t device_bytes = 0; // of the smallest device that is large enough
    std::uint64_t extents = 0;
    std::uint64_t pieces = 0;
    std::uint64_t piece_length = 0;
};

// The client with the least of the image.
struct SlowestClient {
    std::string address;
    double percent = 0;
};

// Bytes are of the payload unless said otherwise; rates are bytes per second.
struct ProgressEvent {
    Phase phase = Phase::connecting;
    double seconds = 0; // since the start
    std::uint64_t total_bytes = 0;
    std::uint64_t received_bytes = 0;      // from peers, useful or not
    std::uint64_t received_wire_bytes = 0; // bytes on the network for these, compressed or not
    std::uint64_t done_bytes = 0; // verified, and written (fetch) or read (checking, verifying, hashing)
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t uploaded_wire_bytes = 0;
    double download_rate = 0;
    double upload_rate = 0;
    double download_ratio = 1; // payload to wire, recently
    double upload_ratio = 1;
    double done_rate = 0; // of done_bytes: the disk's speed
    std::optional<double> eta_seconds;
    unsigned peers = 0;
    unsigned peers_complete = 0;      // of them, those that have everything
    std::uint64_t skipped_bytes = 0;  // of done_bytes: already right, and not fetched
    unsigned clients_complete = 0;    // peers that became complete while we served, including those that left
    unsigned clients_in_progress = 0; // connected, and not complete yet
    std::optional<SlowestClient> slowest; // of those in progress
    unsigned clients_failed = 0;          // of those that report: failed, stopped or lost
};

struct PeerEvent {
    bool connected = false; // false: disconnected
    std::string address;
    std::string reason{}; // why it is disconnected; empty if unknown
};

struct CompleteEvent {
    double seconds = 0;
    std::uint64_t bytes = 0; // verified, written and synced
};

// Bytes exchanged with one address, over all its connections.
struct PeerTotals {
    std::string address;
    bool seeder = false; // had everything when it first connected
    std::uint64_t received_bytes = 0;
    std::uint64_t uploaded_bytes = 0;
};

// A signature of earlier contents of the target that was wiped.
struct WipedSignature {
    std::string type;
    std::uint64_t offset = 0; // bytes from the start of the device
    std::uint64_t length = 0;
};

struct SummaryEvent {
    ExitStatus status = ExitStatus::done;
    double seconds = 0;
    std::uint64_t total_bytes = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t uploaded_bytes = 0;
    std::uint64_t redundant_bytes = 0;
    std::uint64_t failed_pieces = 0;       // hash was wrong
    std::uint64_t skipped_bytes = 0;       // already right, and not fetched
    std::vector<PeerTotals> peers{};       // with whom anything was exchanged, largest sources first
    std::vector<WipedSignature> wiped{};   // by a fetch
    std::uint64_t received_wire_bytes = 0; // bytes on the network for received_bytes, compressed or not
    std::uint64_t uploaded_wire_bytes = 0;
    std::optional<ClientList> clients{}; // of a seed
};

class Reporter {
  public:
    virtual ~Reporter() = default;

    virtual void start(const StartEvent& event) = 0;
    virtual void progress(const ProgressEvent& event) = 0; // several times a second
    virtual void peer(const PeerEvent& event) = 0;
    virtual void client(const ClientStatus& /*client*/) {} // of a seed: new, or its state has changed
    virtual void clients(const ClientList& /*all*/) {}     // several times a second, before progress
    virtual void warning(const std::string& message) = 0;
    virtual void note(const std::string& message) = 0; // a decision and its reason: for --verbose only
    virtual void complete(const CompleteEvent& event) = 0;
    virtual void summary(const SummaryEvent& event) = 0; // also before an error that ends a seed
    virtual void error(const Error& error) = 0;

    // To be called before something else, a result, is printed: removes a redrawn line, and writes what still
    // waits for the reader.
    virtual void make_way() {}

    // To be called before the process ends without the destructor: waits a moment for the reader.
    virtual void finish() {}
};

enum class Verbosity { quiet, normal, verbose };
enum class Color { no, yes, always }; // yes: on a terminal

// Between two progress reports in the same phase, where no line is redrawn.
inline constexpr std::chrono::milliseconds plain_interval{10'000};
inline constexpr std::chrono::milliseconds json_interval{1000};

// Sentences and a progress line on stderr.
[[nodiscard]] std::unique_ptr<Reporter>
make_text_reporter(Verbosity verbosity, Color color, std::chrono::milliseconds interval = plain_interval);

// One JSON object per line on stdout, and errors as sentences on stderr too.
[[nodiscard]] std::unique_ptr<Reporter>
make_json_reporter(Verbosity verbosity, std::chrono::milliseconds interval = json_interval);

} // namespace ezio
