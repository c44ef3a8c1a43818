# All that a project can see of itself, written down before and after goru came in.
# SPDX-License-Identifier: MIT

# watch(FILE): a macro, since a function has variables of its own
macro(watch watch_file)
	get_cmake_property(watch_names VARIABLES)
	set(watch_text "")
	foreach(watch_name ${watch_names})
		if(NOT watch_name MATCHES "^(watch_.*|CMAKE_MATCH_.*|ARG[CNV0-9]*)$")
			string(APPEND watch_text "${watch_name}=${${watch_name}}\n")
		endif()
	endforeach()
	foreach(watch_name BUILDSYSTEM_TARGETS CLEAN_NO_CUSTOM COMPILE_DEFINITIONS COMPILE_FEATURES COMPILE_OPTIONS
			IMPORTED_TARGETS INCLUDE_DIRECTORIES LINK_DIRECTORIES LINK_LIBRARIES LINK_OPTIONS TESTS)
		get_property(watch_value DIRECTORY PROPERTY ${watch_name})
		string(APPEND watch_text "directory ${watch_name}=${watch_value}\n")
	endforeach()
	foreach(watch_name ALLOW_DUPLICATE_CUSTOM_TARGETS FIND_LIBRARY_USE_LIB64_PATHS PACKAGES_FOUND PACKAGES_NOT_FOUND
			RULE_LAUNCH_COMPILE RULE_LAUNCH_LINK TARGET_SUPPORTS_SHARED_LIBS USE_FOLDERS)
		get_property(watch_value GLOBAL PROPERTY ${watch_name})
		string(APPEND watch_text "global ${watch_name}=${watch_value}\n")
	endforeach()
	file(WRITE ${CMAKE_BINARY_DIR}/${watch_file} "${watch_text}")
endmacro()

# What goru made of its own directory: targets and tests.
function(watch_goru dir)
	get_property(targets DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
	get_property(tests DIRECTORY ${dir} PROPERTY TESTS)
	get_property(below DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
	if(NOT "${targets}/${tests}/${below}" STREQUAL "goru;goru_static//")
		message(FATAL_ERROR "goru brought targets ${targets}, tests ${tests}, directories ${below}")
	endif()
endfunction()
