# SPDX-License-Identifier: GPL-2.0-or-later
# The target `lint`: clang-tidy (.clang-tidy says which checks) and cppcheck over every source file of every target, where
# both are installed. A finding is an error. `cmake --build --preset lint`.
#
# It is no part of the build (CMAKE_CXX_CLANG_TIDY): clang-tidy takes 12 s and more of CPU time for a file of 200 lines, most
# of it for the headers of libtorrent, Boost, fmt and Catch2 (with clang-analyzer's checks, which are left out, 40 s). As a
# target of its own it runs in parallel, and only for what has changed: a stamp depends on the object file, which is newer
# when the source or a header is.
find_program(CLANG_TIDY clang-tidy)
find_program(CPPCHECK cppcheck)
if(NOT CLANG_TIDY OR NOT CPPCHECK)
    add_custom_target(lint COMMAND ${CMAKE_COMMAND} -E echo "lint needs clang-tidy and cppcheck: install them, configure again"
        COMMAND ${CMAKE_COMMAND} -E false)
    return()
endif()

set(stamps "")
foreach(directory src tests tests/bench tests/fuzz tests/sim)
    get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
        get_target_property(sources ${target} SOURCES)
        get_target_property(binary_dir ${target} BINARY_DIR)
        foreach(source IN LISTS sources)
            cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/${directory} NORMALIZE)
            cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/${directory} OUTPUT_VARIABLE name)
            cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE path)
            set(stamp ${PROJECT_BINARY_DIR}/lint/${path}.stamp)
            if(NOT path MATCHES "\\.cpp$" OR stamp IN_LIST stamps)
                continue()
            endif()
            cmake_path(GET stamp PARENT_PATH stamp_dir)
            file(MAKE_DIRECTORY ${stamp_dir})
            add_custom_command(OUTPUT ${stamp}
                COMMAND ${CLANG_TIDY} -p ${PROJECT_BINARY_DIR} --quiet --warnings-as-errors=*
                    --extra-arg=-Wno-unknown-warning-option # GCC's own: -Wno-restrict
                    --extra-arg=-Wthread-safety # by the annotations of ezio/util/mutex.hpp
                    --extra-arg=-Wno-sign-conversion # which GCC leaves out of -Wconversion in C++
                    ${source}
                COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
                DEPENDS ${binary_dir}/CMakeFiles/${target}.dir/${name}.o ${PROJECT_SOURCE_DIR}/.clang-tidy
                    ${PROJECT_SOURCE_DIR}/tests/.clang-tidy
                COMMENT "clang-tidy ${path}" VERBATIM)
            list(APPEND stamps ${stamp})
        endforeach()
    endforeach()
endforeach()

# 2.10, Debian 12's, stops in files with literals such as 64_KiB between template brackets or in sums
# ("MathLib::toLongNumber"), which is no finding: the rest of these files it does not see.
include(ProcessorCount)
ProcessorCount(processors)
set(suppressed --suppress=cppcheckError:*)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/lint/cppcheck)
add_custom_target(lint_cppcheck
    COMMAND ${CPPCHECK} --project=${PROJECT_BINARY_DIR}/compile_commands.json -j ${processors} --quiet --error-exitcode=1
        --cppcheck-build-dir=${PROJECT_BINARY_DIR}/lint/cppcheck --enable=warning,performance,portability
        --inline-suppr ${suppressed}
        "-DTEST_CASE(...)=static void test_case()" # it does not look for Catch2's headers
    COMMENT "cppcheck" VERBATIM)

add_custom_target(lint DEPENDS ${stamps})
add_dependencies(lint lint_cppcheck)
