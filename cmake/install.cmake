# Headers, both libraries, goru.pc and what find_package(goru) reads. All of it may be moved.
# SPDX-License-Identifier: MIT
#
# Components: goru_runtime, what programs need to run; goru_development, the rest.
include(GNUInstallDirs) # lib/x86_64-linux-gnu under Debian, if the prefix is /usr
include(CMakePackageConfigHelpers)

set(GORU_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/goru)

foreach(lib goru goru_static)
	target_include_directories(${lib} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
	COMPONENT goru_development
	FILES_MATCHING PATTERN "*.h")
install(TARGETS goru goru_static EXPORT goru
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	COMPONENT goru_runtime NAMELINK_COMPONENT goru_development
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
	COMPONENT goru_development)
install(EXPORT goru NAMESPACE goru:: FILE goruTargets.cmake DESTINATION ${GORU_CMAKE_DIR}
	COMPONENT goru_development)

configure_package_config_file(cmake/goruConfig.cmake.in
	${PROJECT_BINARY_DIR}/goruConfig.cmake
	INSTALL_DESTINATION ${GORU_CMAKE_DIR}
	NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/goruConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES
	${PROJECT_BINARY_DIR}/goruConfig.cmake
	${PROJECT_BINARY_DIR}/goruConfigVersion.cmake
	DESTINATION ${GORU_CMAKE_DIR}
	COMPONENT goru_development)

# Commands for debuggers. gdb's: by itself with the shared library, where gdb looks for the full name of the file; by hand with the static.
# lldb's: by hand.
install(FILES src/debug/goru-gdb.py src/debug/goru_lldb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/goru
	COMPONENT goru_development)
install(FILES src/debug/goru-gdb.py
	DESTINATION ${CMAKE_INSTALL_DATADIR}/gdb/auto-load${CMAKE_INSTALL_FULL_LIBDIR} # gdb's own: where the library will be
	RENAME libgoru.so.${PROJECT_VERSION}-gdb.py
	COMPONENT goru_development)

# The prefix of goru.pc is where goru.pc lies, unless the directories were given as absolute; and but for /usr, which nobody
# moves and where pkg-config leaves out what the compiler knows anyway.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" OR IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
	set(GORU_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
	file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
	string(REGEX REPLACE "/$" "" up "${up}")
	set(GORU_PC_PREFIX "\${pcfiledir}/${up}")
endif()
foreach(dir LIBDIR INCLUDEDIR)
	set(GORU_PC_${dir} "${CMAKE_INSTALL_${dir}}")
	if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
		string(PREPEND GORU_PC_${dir} "\${prefix}/")
	endif()
endforeach()
set(GORU_PC_PRIVATE -pthread)
if(GORU_CHECKS)
	list(APPEND GORU_PC_PRIVATE -ldl)
endif()
list(JOIN GORU_PC_PRIVATE " " GORU_PC_PRIVATE)
configure_file(cmake/goru.pc.in ${PROJECT_BINARY_DIR}/goru.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/goru.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
	COMPONENT goru_development)
