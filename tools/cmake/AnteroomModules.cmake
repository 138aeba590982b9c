# SPDX-License-Identifier: Apache-2.0
# Modules and programs. The dependency rule is enforced by include paths: for each module the build
# tree gets a directory with one link in it, and a source sees only the directories of what it
# declares.
#
#   anteroom_module(json LAYER mechanism SOURCES scan.c json.c cut.c LIBS jsmn DEPS base)
#     LAYER          base | mechanism | policy | app | hal | board
#     DEPS           other modules whose public headers it includes
#     LIBS           jsmn | zlib | lmdb | mbedtls | curl
#     TARGET_SOURCES files of the firmware build only (the C library's allocator)
#   anteroom_program(anteroomctl SOURCES main.c MODULES config base)
#     linked with all named modules and what they need; stripped, debug file beside it

set(ANTEROOM_LAYERS base mechanism policy app hal board)
# What each layer sees of include/.
# base: for the one contract that crypto draws on, hal/entropy.h; layers.py refuses the others.
set(ANTEROOM_SEES_base base hal)
set(ANTEROOM_SEES_mechanism base hal)
set(ANTEROOM_SEES_policy base hal)
set(ANTEROOM_SEES_app base hal board)
set(ANTEROOM_SEES_hal base hal)
set(ANTEROOM_SEES_board base hal board)

# Archives and headers of each library; static link order is from user to used.
set(ANTEROOM_LIB_curl curl mbedtls z)
set(ANTEROOM_LIB_mbedtls mbedtls)
set(ANTEROOM_LIB_lmdb lmdb)
set(ANTEROOM_LIB_zlib z)
set(ANTEROOM_LIB_jsmn)
set(ANTEROOM_HEADERS_curl curl)
set(ANTEROOM_HEADERS_mbedtls mbedtls psa)
set(ANTEROOM_HEADERS_lmdb lmdb.h)
set(ANTEROOM_HEADERS_zlib zlib.h zconf.h)
set(ANTEROOM_HEADERS_jsmn jsmn.h)
set(ANTEROOM_HEADERS_cmocka cmocka.h)

# Directory ${CMAKE_BINARY_DIR}/inc/GROUP with links NAME -> PATH; GROUP becomes one include path.
function(anteroom_link group name path)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/inc/${group})
  file(CREATE_LINK ${path} ${CMAKE_BINARY_DIR}/inc/${group}/${name} SYMBOLIC)
endfunction()

foreach(area base hal board)
  anteroom_link(include-${area} ${area} ${CMAKE_SOURCE_DIR}/include/${area})
endforeach()
foreach(lib curl mbedtls lmdb zlib jsmn cmocka)
  foreach(header ${ANTEROOM_HEADERS_${lib}})
    anteroom_link(lib-${lib} ${header} ${ANTEROOM_PREFIX}/include/${header})
  endforeach()
endforeach()

function(anteroom_includes target)
  cmake_parse_arguments(A "" "" "AREAS;MODULES;LIBS" ${ARGN})
  foreach(area ${A_AREAS})
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/inc/include-${area})
  endforeach()
  foreach(module ${A_MODULES})
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/inc/${module})
  endforeach()
  foreach(lib ${A_LIBS})
    target_include_directories(${target} SYSTEM PRIVATE ${CMAKE_BINARY_DIR}/inc/lib-${lib})
  endforeach()
endfunction()

function(anteroom_module name)
  cmake_parse_arguments(A "" "LAYER" "SOURCES;TARGET_SOURCES;DEPS;LIBS" ${ARGN})
  if(A_UNPARSED_ARGUMENTS OR NOT A_LAYER IN_LIST ANTEROOM_LAYERS)
    message(FATAL_ERROR "module ${name}: bad LAYER or arguments: ${A_UNPARSED_ARGUMENTS}")
  endif()
  if(CMAKE_CROSSCOMPILING)
    list(APPEND A_SOURCES ${A_TARGET_SOURCES})
  endif()
  add_library(${name} STATIC ${A_SOURCES})
  anteroom_link(${name} ${name} ${CMAKE_CURRENT_SOURCE_DIR})
  anteroom_includes(${name} AREAS ${ANTEROOM_SEES_${A_LAYER}} MODULES ${name} ${A_DEPS}
    LIBS ${A_LIBS})
  target_compile_options(${name} PRIVATE -Wmissing-prototypes)
  if(CMAKE_CROSSCOMPILING AND NOT ANTEROOM_TESTS)
    target_compile_options(${name} PRIVATE ${ANTEROOM_OPT_SMALL})
    foreach(source ${A_SOURCES})
      if(${name}/${source} IN_LIST ANTEROOM_FAST_FILES)
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS ${ANTEROOM_OPT_FAST})
      endif()
    endforeach()
  endif()
  set_property(GLOBAL APPEND PROPERTY ANTEROOM_MODULES ${name})
  set_property(GLOBAL PROPERTY ANTEROOM_DEPS_${name} ${A_DEPS})
  set_property(GLOBAL PROPERTY ANTEROOM_LIBS_${name} ${A_LIBS})
  set_property(GLOBAL PROPERTY ANTEROOM_LAYER_${name} ${A_LAYER})
endfunction()

# Modules may be declared in any order; called when all are known.
function(anteroom_modules_check)
  get_property(modules GLOBAL PROPERTY ANTEROOM_MODULES)
  foreach(module ${modules})
    get_property(deps GLOBAL PROPERTY ANTEROOM_DEPS_${module})
    foreach(dep ${deps})
      if(NOT TARGET ${dep})
        message(FATAL_ERROR "module ${module} needs module ${dep}, which does not exist")
      endif()
    endforeach()
  endforeach()
endfunction()

# Everything that the given modules need: closure over DEPS into OUT_MODULES, their libraries into
# OUT_LIBS.
function(anteroom_closure out_modules out_libs)
  set(todo ${ARGN})
  set(seen "")
  set(libs "")
  while(todo)
    list(POP_FRONT todo module)
    if(NOT TARGET ${module})
      message(FATAL_ERROR "no such module: ${module}")
    endif()
    if(NOT module IN_LIST seen)
      list(APPEND seen ${module})
      get_property(deps GLOBAL PROPERTY ANTEROOM_DEPS_${module})
      get_property(module_libs GLOBAL PROPERTY ANTEROOM_LIBS_${module})
      list(APPEND todo ${deps})
      list(APPEND libs ${module_libs})
    endif()
  endwhile()
  list(REMOVE_DUPLICATES libs)
  set(${out_modules} ${seen} PARENT_SCOPE)
  set(${out_libs} ${libs} PARENT_SCOPE)
endfunction()

# Link modules and libraries as one group: HAL contracts are bound here, so order must not matter.
function(anteroom_link_modules target modules libs)
  set(archives "")
  foreach(lib curl mbedtls lmdb zlib jsmn)
    if(lib IN_LIST libs)
      list(APPEND archives ${ANTEROOM_LIB_${lib}})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES archives)
  list(TRANSFORM archives REPLACE "(.+)" "${ANTEROOM_PREFIX}/lib/lib\\1.a")
  set(objects "")
  foreach(module ${modules})
    list(APPEND objects $<TARGET_FILE:${module}>)
  endforeach()
  if(modules)
    add_dependencies(${target} ${modules})
  endif()
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${objects} ${archives})
  target_link_libraries(${target} PRIVATE -Wl,--start-group ${objects} ${archives} -Wl,--end-group)
  if(NOT CMAKE_CROSSCOMPILING)
    target_link_libraries(${target} PRIVATE pthread)
  elseif(sys IN_LIST modules)
    # The allocator of sys must be found before the C library's own.
    target_link_options(${target} PRIVATE -Wl,-u,heap_stats)
  endif()
endfunction()

function(anteroom_program name)
  cmake_parse_arguments(A "" "" "SOURCES;MODULES;LIBS" ${ARGN})
  anteroom_closure(modules libs ${A_MODULES})
  add_executable(${name} ${A_SOURCES})
  anteroom_includes(${name} AREAS base hal board MODULES ${modules})
  anteroom_link_modules(${name} "${modules}" "${libs}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  if(CMAKE_CROSSCOMPILING AND NOT ANTEROOM_TESTS)
    target_compile_options(${name} PRIVATE ${ANTEROOM_OPT_SMALL})
    target_link_options(${name} PRIVATE ${ANTEROOM_OPT_SMALL}
      -Wl,-Map=${CMAKE_BINARY_DIR}/${name}.map)
    add_custom_command(TARGET ${name} POST_BUILD
      COMMAND objcopy --only-keep-debug $<TARGET_FILE:${name}> $<TARGET_FILE:${name}>.debug
      COMMAND strip $<TARGET_FILE:${name}>
      COMMAND objcopy --add-gnu-debuglink=$<TARGET_FILE:${name}>.debug $<TARGET_FILE:${name}>
      VERBATIM)
  endif()
endfunction()
