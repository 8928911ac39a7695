// SPDX-License-Identifier: GPL-2.0-or-later
#include "ezio/net/tls_credentials.hpp"

#include "ezio/util/error.hpp"
#include "ezio/util/read_file.hpp"
#include "ezio/util/units.hpp"
#include "openssl_handles.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <string_view>
#include <vector>

namespace ezio {

namespace {

// A file named by an option, for messages.
struct Source {
    std::string_view option;
    const std::string& path;

    [[nodiscard]] Error refusal(std::string_view why) const
    {
        ERR_clear_error();
        return {ExitStatus::network, fmt::format("{} {}: {}", option, path, why)};
    }

    [[nodiscard]] std::string read() const
    {
        if (path.empty()) {
            throw Error(
                ExitStatus::network,
                fmt::format("the image is private: {} is missing (see SECURITY in the manual)", option));
        }
        try {
            return read_file(path, 1_MiB);
        } catch (const Error& error) {
            throw Error(ExitStatus::network, fmt::format("{} {}", option, error.what()));
        }
    }
};

Certificate parse_certificate(const std::string& pem)
{
    return {PEM_read_bio_X509(reader_of(pem).get(), nullptr, no_passphrase, nullptr), &X509_free};
}

Key parse_key(const std::string& pem, const Source& source)
{
    Key key(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, no_passphrase, nullptr), &EVP_PKEY_free);
    if (!key) {
        const bool encrypted = pem.find("ENCRYPTED") != std::string::npos;
        throw source.refusal(encrypted ? "it has a passphrase; remove that (openssl pkey -in OLD -out NEW)"
                                       : "there is no private key in it (PEM: -----BEGIN PRIVATE KEY-----)");
    }
    return key;
}

std::string day_of(const ASN1_TIME* time)
{
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return "a date that cannot be read";
    }
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min);
}

std::string why_not_verified(X509_STORE_CTX* context)
{
    const X509* culprit = X509_STORE_CTX_get_current_cert(context);
    const std::string whose = X509_STORE_CTX_get_error_depth(context) > 0 ? "the CA's certificate" : "it";
    const int error = X509_STORE_CTX_get_error(context);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return fmt::format("{} has expired on {}; is the clock right?", whose,
                           day_of(X509_get0_notAfter(culprit)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return fmt::format("{} is not valid before {}; is the clock right?", whose,
                           day_of(X509_get0_notBefore(culprit)));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return "it is not signed by the CA that the torrent names";
    case X509_V_ERR_INVALID_PURPOSE:
        return fmt::format(
            "{} may not be used for TLS in both directions (extended key usage: serverAuth and "
            "clientAuth)",
            whose);
    default:
        return fmt::format("{} is refused: {}", whose, X509_verify_cert_error_string(error));
    }
}

// Verifies like peers do, at both ends of a connection.
void refuse_unverified(X509* certificate, X509* ca, int security_level, const Source& source)
{
    const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
    if (!store || X509_STORE_add_cert(store.get(), ca) != 1) {
        throw std::bad_alloc();
    }
    for (const int purpose : {X509_PURPOSE_SSL_CLIENT, X509_PURPOSE_SSL_SERVER}) {
        const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                                      &X509_STORE_CTX_free);
        if (!context || X509_STORE_CTX_init(context.get(), store.get(), certificate, nullptr) != 1 ||
            X509_STORE_CTX_set_purpose(context.get(), purpose) != 1) {
            throw std::bad_alloc();
        }
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context.get()), security_level);
        if (X509_verify_cert(context.get()) != 1) {
            throw source.refusal(why_not_verified(context.get()));
        }
    }
}

std::string text_in(const ASN1_STRING* string)
{
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// The names that libtorrent compares: DNS names, and the last common name.
std::vector<std::string> names_of(const X509* certificate)
{
    std::vector<std::string> names;
    const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> alternatives(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
        &GENERAL_NAMES_free);
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
        if (name->type == GEN_DNS) {
            names.push_back(text_in(name->d.dNSName));
        }
    }
    const X509_NAME* subject = X509_get_subject_name(certificate);
    int last = -1;
    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
        last = i;
    }
    if (last >= 0) {
        names.push_back(text_in(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last))));
    }
    return names;
}

void refuse_other_name(const X509* certificate, const std::string& image_name, const Source& source)
{
    const auto names = names_of(certificate);
    for (const std::string& name : names) {
        if (!name.empty() && (name == "*" || image_name.starts_with(name))) {
            return;
        }
    }
    throw source.refusal(fmt::format("it is issued to '{}'; peers accept '*' or '{}'",
                                     names.empty() ? "" : names.front(), image_name));
}

// Lets OpenSSL itself, as configured on this machine, load them as it does for connections. Returns its
// security level.
int try_to_use(X509* certificate, EVP_PKEY* key, const Source& certificate_source, const Source& key_source)
{
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()), &SSL_CTX_free);
    if (!context) {
        throw std::bad_alloc();
    }
    const auto reason = [] {
        const char* text = ERR_reason_error_string(ERR_peek_last_error());
        return fmt::format("OpenSSL refuses it: {}", text != nullptr ? text : "without a reason");
    };
    if (SSL_CTX_use_certificate(context.get(), certificate) != 1) {
        throw certificate_source.refusal(reason());
    }
    if (X509_check_private_key(certificate, key) != 1) {
        throw key_source.refusal(fmt::format("it is not the key of {}", certificate_source.path));
    }
    if (SSL_CTX_use_PrivateKey(context.get(), key) != 1) {
        throw key_source.refusal(reason());
    }
    return SSL_CTX_get_security_level(context.get());
}

// ffdhe2048. No peer of ours uses it, since TLS 1.3 has its own groups, but libtorrent requires parameters.
std::string built_in_dh()
{
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr), &EVP_PKEY_CTX_free);
    EVP_PKEY* made = nullptr;
    const bool done = context && EVP_PKEY_paramgen_init(context.get()) == 1 &&
                      EVP_PKEY_CTX_set_group_name(context.get(), "ffdhe2048") == 1 &&
                      EVP_PKEY_paramgen(context.get(), &made) == 1;
    const Key group(made, &EVP_PKEY_free);
    const Bio writer = memory_writer();
    if (!done || PEM_write_bio_Parameters(writer.get(), group.get()) != 1) {
        throw Error(ExitStatus::internal,
                    "OpenSSL cannot make the group ffdhe2048; give parameters with --ssl-dh");
    }
    return text_of(writer.get());
}

void refuse_no_dh(const std::string& pem, const Source& source)
{
    const Key group(PEM_read_bio_Parameters(reader_of(pem).get(), nullptr), &EVP_PKEY_free);
    if (!group || EVP_PKEY_get_base_id(group.get()) != EVP_PKEY_DH) {
        throw source.refusal(
            "there are no Diffie-Hellman parameters in it (PEM: -----BEGIN DH PARAMETERS-----)");
    }
}

} // namespace

TlsCredentials read_credentials(const TlsFiles& files)
{
    TlsCredentials credentials;
    credentials.certificate = Source{"--ssl-cert", files.certificate}.read();
    credentials.key = Source{"--ssl-key", files.key}.read();
    credentials.dh = files.dh.empty() ? built_in_dh() : Source{"--ssl-dh", files.dh}.read();
    ERR_clear_error();
    return credentials;
}

void check_credentials(const TlsCredentials& credentials, const TlsFiles& files, const std::string& ca_pem,
                       const std::string& image_name)
{
    const Source certificate_source{"--ssl-cert", files.certificate};
    const Source key_source{"--ssl-key", files.key};
    const Certificate ca = parse_certificate(ca_pem);
    if (!ca) {
        throw Error(ExitStatus::torrent,
                    fmt::format("the certificate of the CA in the torrent of {} cannot be read; "
                                "make the torrent again",
                                image_name));
    }
    const Certificate certificate = parse_certificate(credentials.certificate);
    if (!certificate) {
        throw certificate_source.refusal("there is no certificate in it (PEM: -----BEGIN CERTIFICATE-----)");
    }
    const Key key = parse_key(credentials.key, key_source);
    const int security_level = try_to_use(certificate.get(), key.get(), certificate_source, key_source);
    refuse_unverified(certificate.get(), ca.get(), security_level, certificate_source);
    refuse_other_name(certificate.get(), image_name, certificate_source);
    if (!files.dh.empty()) {
        refuse_no_dh(credentials.dh, {"--ssl-dh", files.dh});
    }
    ERR_clear_error(); // or libtorrent would take it for its own error in this thread
}

TlsCredentials load_credentials(const TlsFiles& files, const std::string& ca_pem,
                                const std::string& image_name)
{
    TlsCredentials credentials = read_credentials(files);
    check_credentials(credentials, files, ca_pem, image_name);
    return credentials;
}

} // namespace ezio
