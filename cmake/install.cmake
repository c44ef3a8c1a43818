# Headers, both libraries, goru.pc and what find_package(goru) reads. All of it may be moved.
# SPDX-License-Identifier: MIT
include(CMakePackageConfigHelpers)

set(GORU_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/goru)

install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS goru goru_static EXPORT goru
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT goru NAMESPACE goru:: FILE goruTargets.cmake DESTINATION ${GORU_CMAKE_DIR})

configure_package_config_file(cmake/goruConfig.cmake.in
	${PROJECT_BINARY_DIR}/goruConfig.cmake
	INSTALL_DESTINATION ${GORU_CMAKE_DIR}
	NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/goruConfigVersion.cmake
	COMPATIBILITY SameMinorVersion)
install(FILES
	${PROJECT_BINARY_DIR}/goruConfig.cmake
	${PROJECT_BINARY_DIR}/goruConfigVersion.cmake
	DESTINATION ${GORU_CMAKE_DIR})

# Commands for debuggers. gdb's: by itself with the shared library, where gdb looks for the full name of the file; by hand with the static.
# lldb's: by hand.
install(FILES src/debug/goru-gdb.py src/debug/goru_lldb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/goru)
install(FILES src/debug/goru-gdb.py
	DESTINATION ${CMAKE_INSTALL_DATADIR}/gdb/auto-load${CMAKE_INSTALL_FULL_LIBDIR} # gdb's own: where the library will be
	RENAME libgoru.so.${PROJECT_VERSION}-gdb.py)

# The prefix of goru.pc is where goru.pc lies, unless the directories were given as absolute.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
	set(GORU_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
	set(GORU_PC_LIBDIR "${CMAKE_INSTALL_LIBDIR}")
else()
	file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
	string(REGEX REPLACE "/$" "" up "${up}")
	set(GORU_PC_PREFIX "\${pcfiledir}/${up}")
	set(GORU_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
	set(GORU_PC_INCLUDEDIR "${CMAKE_INSTALL_INCLUDEDIR}")
else()
	set(GORU_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file(cmake/goru.pc.in ${PROJECT_BINARY_DIR}/goru.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/goru.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
