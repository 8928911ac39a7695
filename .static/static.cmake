# SPDX-License-Identifier: GPL-2.0-or-later
# One file that needs no other, with EZIO_STATIC. libtorrent and OpenSSL are built from Debian's source packages; of the other
# libraries Debian's packages have archives.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
set(fmt fmt::fmt-header-only) # of which there is none

add_compile_options(-ffunction-sections -fdata-sections)
# A position-independent one, like others; its relocations would be a tenth of it if they were not packed. The warnings are
# about getaddrinfo and getpwnam: see nothing_is_loaded.cpp.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_link_options(-static-pie -s LINKER:--gc-sections,-z,pack-relative-relocs,--no-warnings)

# The versions of Debian's packages: for `ezio-cli --version`, and because others need another build.
set(static_libraries "")
foreach(package libboost-system-dev libblkid-dev liblz4-dev libzstd-dev libfmt-dev libcli11-dev nlohmann-json3-dev
        libc6-dev libtorrent-rasterbar-dev libssl-dev)
    execute_process(COMMAND dpkg-query --show --showformat=\${Version} ${package} OUTPUT_VARIABLE version
        COMMAND_ERROR_IS_FATAL ANY)
    set(${package} ${version})
    if(NOT package MATCHES "torrent|ssl")
        string(REGEX REPLACE "(-system|3?)-dev$" "" name ${package})
        string(APPEND static_libraries ", ${name} ${version}")
    endif()
endforeach()

# Once for each version, compiler and way to build them.
set(script ${CMAKE_CURRENT_LIST_DIR}/build-libraries)
file(SHA256 ${script} key)
string(SHA256 key "${key} ${CMAKE_CXX_COMPILER_VERSION} ${libtorrent-rasterbar-dev} ${libssl-dev}")
string(SUBSTRING ${key} 0 8 key)
set(prefix ${PROJECT_SOURCE_DIR}/build/static-libraries-${key})
if(NOT EXISTS ${prefix}/versions)
    message(STATUS "Building libtorrent and OpenSSL, once, in some minutes")
    execute_process(COMMAND ${CMAKE_COMMAND} -E env CXX=${CMAKE_CXX_COMPILER} ${script} ${prefix} COMMAND_ERROR_IS_FATAL ANY)
endif()
file(READ ${prefix}/versions versions)
string(PREPEND static_libraries "${versions}")
string(APPEND static_libraries ", libstdc++ ${CMAKE_CXX_COMPILER_VERSION}")

if(NOT prefix STREQUAL static_prefix) # what was found in another one
    get_cmake_property(remembered CACHE_VARIABLES)
    list(FILTER remembered INCLUDE REGEX "^(__pkg_config_checked_|pkgcfg_lib_)?libtorrent_?")
    foreach(variable IN LISTS remembered)
        unset(${variable} CACHE)
    endforeach()
    set(static_prefix ${prefix} CACHE INTERNAL "")
endif()
set(ENV{PKG_CONFIG_PATH} ${prefix}/lib/pkgconfig)
foreach(library SSL CRYPTO) # with the headers of libssl-dev
    string(TOLOWER ${library} name)
    set(OPENSSL_${library}_LIBRARY ${prefix}/lib/lib${name}.a CACHE INTERNAL "")
endforeach()
