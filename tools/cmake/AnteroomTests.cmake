# SPDX-License-Identifier: Apache-2.0
# Test programs.
#   anteroom_unit(cut SOURCES cut.c MODULES json base [LIBS lmdb] [DEFINES X=1] [LINK -Wl,--wrap=f]
# [TIMEOUT 60])
#   anteroom_contract(tokenstore_file SOURCES tokenstore.c MODULES tokenstore_file base)
#   anteroom_sim(spool SOURCES spool.c MODULES spool base)                  power cuts
#     TPM: runs with a TPM in software (tests/support/softtpm.py)
#   anteroom_fuzz(json SOURCES json.c MODULES json base)      host with sanitizers only
# A test runs in the project's root. ANTEROOM_SHARED names the reference samples (tests skip visibly
# without them), ANTEROOM_TMP a directory of the build tree for scratch files.

if(DEFINED ENV{ANTEROOM_SHARED})
  set(ANTEROOM_SHARED $ENV{ANTEROOM_SHARED})
else()
  get_filename_component(ANTEROOM_SHARED ${CMAKE_SOURCE_DIR}/../shared ABSOLUTE)
endif()

function(anteroom_test_program target)
  cmake_parse_arguments(A "TPM" "TIMEOUT" "SOURCES;MODULES;LIBS;DEFINES;LINK" ${ARGN})
  if(A_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${target}: unknown arguments: ${A_UNPARSED_ARGUMENTS}")
  endif()
  # base/crypto draws on hal/entropy.h: what names no backend of it gets the kernel's.
  if(NOT A_MODULES MATCHES "entropy_")
    list(APPEND A_MODULES entropy_linux)
  endif()
  anteroom_closure(modules libs ${A_MODULES})
  list(APPEND libs ${A_LIBS})
  add_executable(${target} ${A_SOURCES})
  anteroom_includes(${target} AREAS base hal board MODULES ${modules} LIBS ${A_LIBS} cmocka)
  target_include_directories(${target} PRIVATE
    ${CMAKE_SOURCE_DIR}/tests/support ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE ${A_DEFINES})
  target_link_options(${target} PRIVATE ${A_LINK})
  anteroom_link_modules(${target} "${modules}" "${libs}")
endfunction()

function(anteroom_cmocka_test kind name)
  cmake_parse_arguments(A "TPM" "TIMEOUT" "" ${ARGN})
  get_filename_component(group ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  if(kind STREQUAL unit)
    set(target unit_${group}_${name})
    set(test unit.${group}.${name})
  else()
    set(target ${kind}_${name})
    set(test ${kind}.${name})
  endif()
  anteroom_test_program(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE ${ANTEROOM_PREFIX}/lib/libcmocka.a)
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  set(scratch ${CMAKE_BINARY_DIR}/scratch/${target})
  file(MAKE_DIRECTORY ${scratch})
  set(fixture "")
  if(A_TPM)
    set(fixture /usr/bin/python3 -B ${CMAKE_SOURCE_DIR}/tests/support/softtpm.py ${scratch}/tpm)
  endif()
  add_test(NAME ${test} COMMAND ${fixture} $<TARGET_FILE:${target}>
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set(environment ANTEROOM_SHARED=${ANTEROOM_SHARED} ANTEROOM_TMP=${scratch}
    ASAN_OPTIONS=detect_stack_use_after_return=1)
  set_tests_properties(${test} PROPERTIES TIMEOUT ${A_TIMEOUT} LABELS ${kind}
    ENVIRONMENT "${environment}")
endfunction()

function(anteroom_unit name)
  anteroom_cmocka_test(unit ${name} ${ARGN})
endfunction()

function(anteroom_contract name)
  anteroom_cmocka_test(contract ${name} ${ARGN})
endfunction()

function(anteroom_sim name)
  anteroom_cmocka_test(sim ${name} TIMEOUT 1800 ${ARGN}) # ANTEROOM_SIM_STATES may be large
endfunction()

function(anteroom_fuzz name)
  if(NOT ANTEROOM_SANITIZE)
    return()
  endif()
  anteroom_test_program(fuzz_${name} ${ARGN})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
