# Processor, warnings, sanitizers, and how the library itself is compiled and linked.
# SPDX-License-Identifier: MIT
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
	set(GORU_CPU x86_64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
	set(GORU_CPU aarch64)
else()
	message(FATAL_ERROR "goru has no port to ${CMAKE_SYSTEM_PROCESSOR}: see arch/")
endif()
if(CMAKE_SIZEOF_VOID_P AND NOT CMAKE_SIZEOF_VOID_P EQUAL 8) # empty: not found out, under -flto for instance
	message(FATAL_ERROR "goru needs pointers of 64 bits, not ${CMAKE_SIZEOF_VOID_P} bytes")
endif()

# -O2 -g unless told otherwise; assert() stays on, goru does not look at NDEBUG. In another project: as that one says.
if(GORU_TOP_LEVEL)
	if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
		set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Kind of build" FORCE)
	endif()
	foreach(lang C CXX ASM)
		if(NOT DEFINED CMAKE_${lang}_FLAGS_RELWITHDEBINFO OR
		   CMAKE_${lang}_FLAGS_RELWITHDEBINFO STREQUAL "-O2 -g -DNDEBUG")
			set(CMAKE_${lang}_FLAGS_RELWITHDEBINFO "-O2 -g")
		endif()
	endforeach()
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)

set(GORU_WARNINGS -Wall -Wextra -Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wformat=2)
set(GORU_WARNINGS_C ${GORU_WARNINGS} -Wstrict-prototypes -Wmissing-prototypes
	-Wold-style-definition)
if(GORU_WERROR)
	list(APPEND GORU_WARNINGS -Werror)
	list(APPEND GORU_WARNINGS_C -Werror)
endif()

# What the library and the tests that include its headers must agree on.
set(GORU_DEFINES "")
if(GORU_CHECKS)
	list(APPEND GORU_DEFINES GRT_CHECKS=1)
endif()
if(GORU_STATIC)
	list(APPEND GORU_DEFINES GRT_NO_LOADER=1)
endif()

check_c_source_compiles("#include <features.h>
#ifndef __GLIBC__
#error
#endif
int main(void) { return 0; }" GORU_HAS_GLIBC)

# x86-64 takes backtraces by the compiler's unwinder: arch/x86_64/walk.c.
check_c_source_compiles("#include <unwind.h>
int main(void) { return _Unwind_Backtrace((_Unwind_Trace_Fn)0, (void *)0); }" GORU_HAS_UNWINDER)
set(GORU_WITHOUT_UNWINDER OFF)
if(NOT GORU_HAS_UNWINDER)
	set(GORU_WITHOUT_UNWINDER ON)
	list(APPEND GORU_DEFINES GRT_WEAK_UNWINDER=1)
endif()

# Where a thread's words are: base/cc.h.
set(GORU_TLS "" CACHE STRING "initial-exec, descriptors, or empty: as the C library needs it")
if(GORU_TLS STREQUAL "descriptors" OR NOT (GORU_TLS OR GORU_HAS_GLIBC))
	list(APPEND GORU_DEFINES GRT_TLS_DESCRIPTORS=1)
	set(GORU_TLS_FLAG "")
	check_c_compiler_flag(-mtls-dialect=gnu2 GORU_HAS_TLS_GNU2) # gcc on x86-64; AArch64 does it unasked
	if(GORU_HAS_TLS_GNU2)
		set(GORU_TLS_FLAG -mtls-dialect=gnu2)
	endif()
elseif(NOT GORU_TLS OR GORU_TLS STREQUAL "initial-exec")
	set(GORU_TLS_FLAG -ftls-model=initial-exec)
else()
	message(FATAL_ERROR "GORU_TLS: ${GORU_TLS}?")
endif()

# Address and undefined instrument everything. Under thread the library is not instrumented, it
# tells the sanitizer of its switches and edges (GRT_TSAN); programs, tests and examples are.
set(GORU_PROGRAM_SANITIZE "")
if(GORU_SANITIZE STREQUAL "thread")
	list(APPEND GORU_DEFINES GRT_TSAN=1)
	set(GORU_PROGRAM_SANITIZE -fsanitize=thread)
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
		message(WARNING "gcc's thread sanitizer ends at 8128 goroutines: use clang")
	endif()
elseif(GORU_SANITIZE)
	foreach(one ${GORU_SANITIZE})
		if(NOT one MATCHES "^(address|undefined)$")
			message(FATAL_ERROR "GORU_SANITIZE: ${GORU_SANITIZE}")
		endif()
		add_compile_options(-fsanitize=${one})
		add_link_options(-fsanitize=${one})
	endforeach()
	add_compile_options(-fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()

# Not across files: the address of a thread-local, read in one function, must not live on over a switch in another.
set(GORU_LIBRARY_FLAGS -fno-lto -fno-semantic-interposition -fasynchronous-unwind-tables)
foreach(flag -fno-plt -fcf-protection=branch -mbranch-protection=standard)
	if(flag MATCHES "cf-protection" AND NOT GORU_CPU STREQUAL "x86_64")
		continue()
	elseif(flag MATCHES "branch-protection" AND NOT GORU_CPU STREQUAL "aarch64")
		continue()
	endif()
	string(MAKE_C_IDENTIFIER "GORU_HAS${flag}" has)
	check_c_compiler_flag(${flag} ${has})
	if(${has})
		list(APPEND GORU_LIBRARY_FLAGS ${flag})
	endif()
endforeach()

# In another project, goru's own warnings are nobody's to mend, whatever that project asks for.
if(NOT GORU_TOP_LEVEL AND NOT GORU_WERROR)
	list(APPEND GORU_WARNINGS_C -w)
endif()

# The same bytes from any directory, at any time. Not for Debug, whose debuggers want the full paths; and in another
# project paths are that one's affair. The later one counts, should one directory lie in the other.
if(GORU_TOP_LEVEL)
	foreach(dir ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
		list(APPEND GORU_LIBRARY_FLAGS $<$<NOT:$<CONFIG:Debug>>:-ffile-prefix-map=${dir}=.>)
	endforeach()
	set(CMAKE_C_ARCHIVE_CREATE "<CMAKE_AR> qcD <TARGET> <LINK_FLAGS> <OBJECTS>")
	set(CMAKE_C_ARCHIVE_APPEND "<CMAKE_AR> qD <TARGET> <LINK_FLAGS> <OBJECTS>")
	set(CMAKE_C_ARCHIVE_FINISH "<CMAKE_RANLIB> -D <TARGET>")
endif()

# What a project around this one may have asked of all targets, and goru's cannot take, is taken back.
function(goru_library_flags target)
	set_target_properties(${target} PROPERTIES
		POSITION_INDEPENDENT_CODE ON
		C_VISIBILITY_PRESET hidden
		UNITY_BUILD OFF
		COMPILE_WARNING_AS_ERROR OFF)
	target_include_directories(${target} PRIVATE
		${PROJECT_SOURCE_DIR}/src
		${PROJECT_SOURCE_DIR}/arch/${GORU_CPU}
		${PROJECT_SOURCE_DIR}/include)
	target_compile_definitions(${target} PRIVATE ${GORU_DEFINES})
	target_compile_options(${target} PRIVATE
		${GORU_LIBRARY_FLAGS}
		$<$<COMPILE_LANGUAGE:C>:${GORU_TLS_FLAG}>
		$<$<COMPILE_LANGUAGE:C>:${GORU_WARNINGS_C}>
		$<$<COMPILE_LANGUAGE:C>:-Wconversion>)
endfunction()

# Never unloaded (goroutines may run in it), bound at load time (a lazy binding needs more stack
# than a goroutine may have left); only goru_* leaves, and calls within it stay in it, whoever else has such names.
function(goru_shared_link_flags target)
	set(map ${PROJECT_SOURCE_DIR}/cmake/goru.map)
	target_link_options(${target} PRIVATE
		-Wl,--build-id -Wl,-Bsymbolic-functions -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete -Wl,-z,noexecstack
		-Wl,--version-script=${map})
	if(NOT GORU_SANITIZE)
		target_link_options(${target} PRIVATE -Wl,--no-undefined)
	endif()
	set_target_properties(${target} PROPERTIES LINK_DEPENDS ${map})
endfunction()
