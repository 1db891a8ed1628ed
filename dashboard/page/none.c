/* What dashboard/page.c has to show in a build without the web page (UW_PAGE=OFF). */
#include "dashboard/page.h"

const struct uw_page_built uw_page_built[] = {{"/none", (const unsigned char *)"", 0}};
const uint32_t uw_page_built_count = 0;
