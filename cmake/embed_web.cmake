# Run with -DOUT=file.c -DDIR=coordinator/web/static: writes its files as C strings.
file(GLOB files ${DIR}/*.css ${DIR}/*.js ${DIR}/*.svg)
list(SORT files)
set(rows "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
  string(APPEND rows "    {\"${name}\",\n    \"${text}\"},\n")
endforeach()
file(WRITE ${OUT} "/* made from coordinator/web/static/ */\n"
  "#include \"coordinator/web/files.h\"\n\n"
  "const struct web_file web_files[] = {\n${rows}    {NULL, NULL}};\n")
