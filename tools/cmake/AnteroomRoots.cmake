# SPDX-License-Identifier: Apache-2.0
# Module `roots`: the pinned trust anchors as data (include/base/roots.h).
set(roots_c ${CMAKE_BINARY_DIR}/roots.c)
set(roots_lock ${CMAKE_SOURCE_DIR}/tools/deps/roots.lock)
set(roots_py ${CMAKE_SOURCE_DIR}/tools/deps/roots.py)
add_custom_command(OUTPUT ${roots_c} DEPENDS ${roots_lock} ${roots_py}
  COMMAND /usr/bin/python3 ${roots_py} --lock ${roots_lock} --out ${roots_c} VERBATIM)
add_library(roots STATIC ${roots_c})
anteroom_includes(roots AREAS base)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/inc/roots) # its header is include/base/roots.h
set_property(GLOBAL APPEND PROPERTY ANTEROOM_MODULES roots)
