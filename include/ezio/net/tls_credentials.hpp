// SPDX-License-Identifier: GPL-2.0-or-later
//
// What this host shows to the peers of a private image (an SSL torrent). Everything that would make them
// refuse it, or it them, is found here, before there is a session.
#pragma once

#include <string>

namespace ezio {

// Paths; what --ssl-cert, --ssl-key and --ssl-dh name.
struct TlsFiles {
    std::string certificate;
    std::string key;
    std::string dh; // empty: the built-in group, ffdhe2048 of RFC 7919

    bool operator==(const TlsFiles&) const = default;
    [[nodiscard]] bool given() const { return !certificate.empty() || !key.empty() || !dh.empty(); }
    [[nodiscard]] std::string first_option() const // that was given, for messages
    {
        return !certificate.empty() ? "--ssl-cert" : (!key.empty() ? "--ssl-key" : "--ssl-dh");
    }
};

// The same, read and checked: PEM.
struct TlsCredentials {
    std::string certificate;
    std::string key;
    std::string dh;
};

// What the files hold, unchecked: they may be root's, and are read while there are privileges. Throws Error
// (ExitStatus::network) when one cannot be read, or is missing.
[[nodiscard]] TlsCredentials read_credentials(const TlsFiles& files);

// Checks what was read. Throws Error (ExitStatus::network) naming the option, the file and the reason: it
// cannot be read or is no such thing; the key has a passphrase, or is not the certificate's; the certificate
// is not of the CA `ca_pem` (the one in the torrent), has expired, is not for TLS in both directions, or is
// made out to a name that peers do not accept: that must be "*", or `image_name`, or how that begins.
// ExitStatus::torrent when `ca_pem` is no certificate, ExitStatus::internal when OpenSSL has no built-in
// group.
void check_credentials(const TlsCredentials& credentials, const TlsFiles& files, const std::string& ca_pem,
                       const std::string& image_name);

// Both.
[[nodiscard]] TlsCredentials load_credentials(const TlsFiles& files, const std::string& ca_pem,
                                              const std::string& image_name);

} // namespace ezio
