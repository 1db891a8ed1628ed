# Writes OUTPUT, a C file with the text of FILE as uw_contract_text.
file(READ "${FILE}" hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE "${OUTPUT}" "/* Made by dashboard/embed.cmake; do not edit. */\n#include \"dashboard/contract.h\"\n\n"
                       "const unsigned char uw_contract_text[] = {\n    ${bytes}0x00};\n"
                       "const unsigned long uw_contract_bytes = sizeof uw_contract_text - 1;\n")
