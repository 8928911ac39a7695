// SPDX-License-Identifier: GPL-2.0-or-later
//
// Owning handles for OpenSSL's objects. For source files only: no other header includes this.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <new>
#include <string>

namespace ezio {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// Reads from `text`, which must outlive it.
inline Bio reader_of(const std::string& text)
{
    Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all);
    if (!bio) {
        throw std::bad_alloc();
    }
    return bio;
}

inline Bio memory_writer()
{
    Bio bio(BIO_new(BIO_s_mem()), &BIO_free_all);
    if (!bio) {
        throw std::bad_alloc();
    }
    return bio;
}

inline std::string text_of(BIO* writer)
{
    char* text = nullptr;
    const long size = BIO_get_mem_data(writer, &text);
    return {text, static_cast<std::size_t>(size)};
}

// A pem_password_cb without a password: OpenSSL's own would ask on the terminal.
inline int no_passphrase(char*, int, int, void*)
{
    return -1;
}

} // namespace ezio
