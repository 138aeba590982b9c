# SPDX-License-Identifier: Apache-2.0
# Kconfig and the board's defconfig become .config, autoconf.h and CONFIG_ variables in the build
# tree.
set(generator ${CMAKE_SOURCE_DIR}/tools/kconfig/generate.py)
set(defconfig ${CMAKE_SOURCE_DIR}/board/${BOARD}/defconfig)
if(NOT EXISTS ${defconfig})
  message(FATAL_ERROR "no board '${BOARD}': ${defconfig} does not exist")
endif()
execute_process(
  COMMAND /usr/bin/python3 ${generator} --kconfig ${CMAKE_SOURCE_DIR}/Kconfig
    --defconfig ${defconfig} --epoch ${ANTEROOM_EPOCH} --out ${CMAKE_BINARY_DIR}
  COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/Kconfig ${defconfig} ${generator})
include(${CMAKE_BINARY_DIR}/config.cmake)
