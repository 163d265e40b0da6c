/* zip.h - deployment packages (private to lambda_rie). Runs on a helper thread. */
#ifndef PUDDLE_ZIP_H
#define PUDDLE_ZIP_H
#include "str.h"

enum zip_result { ZIP_OK, ZIP_BAD, ZIP_TOO_LARGE, ZIP_UNSAFE, ZIP_IO };
enum { ZIP_UNZIPPED_MAX = 262144000, ZIP_ENTRIES_MAX = 100000 };
/* Unpacks into dir, which must exist. Nothing is ever written outside of it: absolute paths, "..",
 * links that lead out and special files are refused (ZIP_UNSAFE). On failure dir holds a part. */
enum zip_result zip_unpack(struct str zip, const char *dir);
#endif
