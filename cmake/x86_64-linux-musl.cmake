# musl-gcc, which is gcc with musl's headers and library; it has no C++.
# GORU_TARGET_ROOT is DIR/musl of scripts/cmocka-source.sh. GORU_MUSL_UNWINDER=OFF leaves out what makes gcc's unwinder link.
# SPDX-License-Identifier: MIT
set(CMAKE_C_COMPILER musl-gcc)
set(GORU_NO_CXX ON)
set(CMAKE_DISABLE_FIND_PACKAGE_PkgConfig ON) # the system's libraries are glibc's
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES GORU_TARGET_ROOT GORU_MUSL_UNWINDER)
set(CMAKE_C_FLAGS_INIT "-isystem ${GORU_TARGET_ROOT}/include")
if(NOT DEFINED GORU_MUSL_UNWINDER OR GORU_MUSL_UNWINDER)
	set(CMAKE_C_STANDARD_LIBRARIES_INIT ${GORU_TARGET_ROOT}/lib/find_object.o)
	foreach(kind EXE SHARED MODULE)
		set(CMAKE_${kind}_LINKER_FLAGS_INIT -Wl,--eh-frame-hdr) # which gcc asks for itself, but for musl-gcc's specs
	endforeach()
endif()

set(CMAKE_FIND_ROOT_PATH ${GORU_TARGET_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
