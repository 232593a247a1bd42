# cmake -DSOURCE=FOLDER -DOUTPUT=FILE -P version.cmake: writes the C file that holds the commit of
# FOLDER, "unknown" where that is no working tree of git. An unchanged file is left alone.
find_package(Git QUIET)
set(commit unknown)
set(date "")
if(Git_FOUND)
  # A tarball may lie within another project's working tree.
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} rev-parse --show-prefix
    OUTPUT_VARIABLE prefix RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed EQUAL 0 AND prefix STREQUAL "")
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} describe --always --dirty --abbrev=12
      OUTPUT_VARIABLE found RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed EQUAL 0)
      set(commit ${found})
      execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} log -1 --format=%cs
        OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[/* Written by src/base/version.cmake at every build. */
#include "src/base/version.h"

const char version_commit[] = "@commit@";
const char version_date[] = "@date@";
]] @ONLY)
