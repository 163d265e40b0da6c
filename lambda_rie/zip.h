/* zip.h - deployment packages (private to lambda_rie). Runs on a helper thread. */
#ifndef PUDDLE_ZIP_H
#define PUDDLE_ZIP_H
#include "str.h"

enum zip_result {
    ZIP_OK,
    ZIP_BAD,       /* not a zip, damaged, encrypted                                        */
    ZIP_EMPTY,     /* no entries                                                           */
    ZIP_TOO_LARGE, /* more than ZIP_UNZIPPED_MAX bytes, whatever the headers say           */
    ZIP_TOO_MANY,  /* more than ZIP_ENTRIES_MAX entries                                    */
    ZIP_UNSAFE,    /* an absolute path, "..", a link that leads out, a device, a hard link */
    ZIP_IO         /* the disk                                                             */
};
enum { ZIP_UNZIPPED_MAX = 262144000, ZIP_ENTRIES_MAX = 100000 };
/* Unpacks into dir, which must exist and be empty. Nothing is ever written outside of it, and no
 * link that it makes leads out of it. Executable bits are kept, all others are not. Of entries with
 * the same name the last one wins. On failure dir holds a part. *ret_bytes: what was unpacked. */
enum zip_result zip_unpack(struct str zip, const char *dir, int64_t *ret_bytes);
#endif
