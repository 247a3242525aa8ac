# c_string(OUT FILE): the file's text for a C string literal, one line for each of its own.
function(c_string out file)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()
