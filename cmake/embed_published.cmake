# Run with -DOUT=file.c -DDIR=sweeps/published: writes its CSV files as C strings, in order.
file(GLOB files ${DIR}/*.csv)
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
file(WRITE ${OUT} "/* made from sweeps/published/ */\n"
  "#include \"coordinator/report/published.h\"\n\n"
  "const struct published_file published_files[] = {\n${rows}    {NULL, NULL}};\n")
