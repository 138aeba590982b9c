# SPDX-License-Identifier: Apache-2.0
# A board binds each contract of include/hal to one backend, in one place:
# ANTEROOM_BOARD_HAL of board/BOARD/CMakeLists.txt. A device that is missing or doubled is an error
# here, and not a linker's riddle.
#
#   anteroom_board_check(led_sysfs watchdog_linux ...)

get_filename_component(ANTEROOM_CONTRACTS ${CMAKE_CURRENT_LIST_DIR}/../../include/hal ABSOLUTE)
# Devices that a board may lack. What its defconfig says and what it links must agree.
set(ANTEROOM_MAY_LACK button console led)

function(anteroom_board_check)
  set(where board/${BOARD}/CMakeLists.txt)
  file(GLOB contracts ${ANTEROOM_CONTRACTS}/*.h)
  set(known "")
  foreach(contract ${contracts})
    get_filename_component(device ${contract} NAME_WE)
    set(chosen ${ARGN})
    list(FILTER chosen INCLUDE REGEX ^${device}_)
    list(APPEND known ${chosen})
    list(LENGTH chosen count)
    if(NOT count EQUAL 1)
      get_property(backends GLOBAL PROPERTY ANTEROOM_MODULES)
      list(FILTER backends INCLUDE REGEX ^${device}_)
      string(REPLACE ";" ", " backends "${backends}")
      string(REPLACE ";" ", " chosen "${chosen}")
      message(FATAL_ERROR
        "${where}: ${count} backends for the device '${device}' (${chosen}); it needs one of: "
        "${backends}")
    endif()
    if(device IN_LIST ANTEROOM_MAY_LACK)
      anteroom_board_check_lack(${device} ${chosen})
    endif()
  endforeach()
  foreach(module ${ARGN})
    get_property(layer GLOBAL PROPERTY ANTEROOM_LAYER_${module})
    if(NOT module IN_LIST known OR NOT layer STREQUAL hal)
      message(FATAL_ERROR "${where}: '${module}' is no backend of a device in include/hal")
    endif()
    # Hardware that anybody can play, and a store that forgets, are for the board that says so.
    if(module MATCHES "_(sandbox|ram)$" AND NOT CONFIG_BOARD_SANDBOX)
      message(FATAL_ERROR "${where}: '${module}' is for boards with CONFIG_BOARD_SANDBOX only")
    endif()
  endforeach()
  set(leds "${CONFIG_LED_NAME}${CONFIG_LED_RED}${CONFIG_LED_GREEN}${CONFIG_LED_BLUE}")
  if(led_sysfs IN_LIST ARGN AND leds STREQUAL "")
    message(FATAL_ERROR
      "board/${BOARD}/defconfig: led_sysfs needs CONFIG_LED_NAME, or CONFIG_LED_RED and its like")
  endif()
endfunction()

function(anteroom_board_check_lack device chosen)
  string(TOUPPER CONFIG_${device}_NONE symbol)
  set(lacks FALSE)
  if(chosen STREQUAL ${device}_none)
    set(lacks TRUE)
  endif()
  if(${symbol} AND NOT lacks OR lacks AND NOT ${symbol})
    message(FATAL_ERROR
      "board/${BOARD}: it links ${chosen}, and ${symbol} in its defconfig says otherwise")
  endif()
endfunction()
