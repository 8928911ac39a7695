// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/ca_certificate.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/read_file.hpp"
#include "ezio/util/units.hpp"
#include "openssl_handles.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <new>

namespace ezio {

namespace {

// The next certificate; null at the end of the file, or before broken data.
Certificate next_certificate(BIO* file)
{
    Certificate certificate(PEM_read_bio_X509(file, nullptr, no_passphrase, nullptr), &X509_free);
    ERR_clear_error();
    return certificate;
}

std::string to_pem(X509* certificate)
{
    const Bio memory = memory_writer();
    if (PEM_write_bio_X509(memory.get(), certificate) != 1) {
        throw std::bad_alloc();
    }
    return text_of(memory.get());
}

} // namespace

std::string read_ca_certificate(const std::string& path)
{
    const auto refuse = [&](const std::string& why) {
        return Error(ExitStatus::usage, fmt::format("--ssl-ca {}: {}", path, why));
    };
    std::string text;
    try {
        text = read_file(path, 1_MiB);
    } catch (const Error& error) {
        throw Error(ExitStatus::usage, fmt::format("--ssl-ca {}", error.what()));
    }
    const Bio file = reader_of(text);
    const Certificate certificate = next_certificate(file.get());
    if (!certificate) {
        throw refuse("there is no certificate in it (PEM: -----BEGIN CERTIFICATE-----)");
    }
    if (next_certificate(file.get())) {
        throw refuse("it contains more than one certificate; give only that of the CA");
    }
    if (X509_check_ca(certificate.get()) == 0) {
        throw refuse("it is not the certificate of a CA: it may not sign peers' certificates");
    }
    return to_pem(certificate.get());
}

} // namespace ezio
