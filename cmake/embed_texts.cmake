# Writes files as C strings, in order: an array of {name, text} that ends with {NULL, NULL}.
# Run with -DOUT=file.c -DDIR=folder -DPATTERNS="*.a,*.b" -DHEADER=its/declaration.h
# -DTYPE=struct -DNAME=array.
include(${CMAKE_CURRENT_LIST_DIR}/embed.cmake)
set(files "")
string(REPLACE "," ";" patterns "${PATTERNS}")
foreach(pattern ${patterns})
  file(GLOB more ${DIR}/${pattern})
  list(APPEND files ${more})
endforeach()
list(SORT files)
set(rows "")
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  c_string(text ${file})
  string(APPEND rows "    {\"${name}\",\n    \"${text}\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"${HEADER}\"\n\n"
  "const struct ${TYPE} ${NAME}[] = {\n${rows}    {NULL, NULL}};\n")
