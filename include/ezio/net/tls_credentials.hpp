// SPDX-License-Identifier: GPL-2.0-or-later
//
// The certificate and key that this host presents to the peers of a private image (an SSL torrent). Any
// reason for which peers would refuse it, or it them, is found here, before there is a session.
#pragma once

#include <string>

namespace ezio {

// The paths given with --ssl-cert, --ssl-key and --ssl-dh.
struct TlsFiles {
    std::string certificate;
    std::string key;
    std::string dh; // empty: the built-in group, ffdhe2048 of RFC 7919

    bool operator==(const TlsFiles&) const = default;
    [[nodiscard]] bool given() const { return !certificate.empty() || !key.empty() || !dh.empty(); }
    [[nodiscard]] std::string first_option() const // the first one given, for messages
    {
        return !certificate.empty() ? "--ssl-cert" : (!key.empty() ? "--ssl-key" : "--ssl-dh");
    }
};

// The files' contents, in PEM.
struct TlsCredentials {
    std::string certificate;
    std::string key;
    std::string dh;
};

// Reads the files without checking them, while the process still has root's privileges. Throws Error
// (ExitStatus::network) when one cannot be read, or is missing.
[[nodiscard]] TlsCredentials read_credentials(const TlsFiles& files);

// Checks the credentials. Throws Error (ExitStatus::network) naming the option, the file and the reason: a
// file is unreadable or of the wrong kind; the key has a passphrase or does not belong to the certificate;
// the certificate is not signed by the CA `ca_pem` (the one in the torrent), has expired, is not for TLS in
// both directions, or is issued to a name that peers do not accept: it must be "*", `image_name`, or a prefix
// of that. ExitStatus::torrent when `ca_pem` is not a certificate, ExitStatus::internal when OpenSSL lacks
// the built-in group.
void check_credentials(const TlsCredentials& credentials, const TlsFiles& files, const std::string& ca_pem,
                       const std::string& image_name);

// Reads and checks.
[[nodiscard]] TlsCredentials load_credentials(const TlsFiles& files, const std::string& ca_pem,
                                              const std::string& image_name);

} // namespace ezio
