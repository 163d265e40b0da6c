#include "runtime_files.h"
#include "file.h"
#include <errno.h>
#include <stdio.h>

extern const unsigned char embed_node_bootstrap[], embed_node_preload[], embed_python_bootstrap[],
    embed_native_host[];
extern const size_t embed_node_bootstrap_size, embed_node_preload_size, embed_python_bootstrap_size,
    embed_native_host_size;

int runtime_files_write(const char *dir)
{
    const struct {
        const char *path;
        const unsigned char *bytes;
        size_t size;
        unsigned mode;
    } files[] = {{"nodejs/bootstrap.js", embed_node_bootstrap, embed_node_bootstrap_size, 0644},
                 {"nodejs/preload.js", embed_node_preload, embed_node_preload_size, 0644},
                 {"python/bootstrap.py", embed_python_bootstrap, embed_python_bootstrap_size, 0644},
                 {"native/host", embed_native_host, embed_native_host_size, 0755}};
    char path[4096];
    int error = 0;
    static const char *const folders[] = {"nodejs", "python", "native"};
    for (size_t i = 0; error == 0 && i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, folders[i]);
        error = file_mkdirs(path, 0755);
    }
    for (size_t i = 0; error == 0 && i < sizeof files / sizeof *files; i++) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, files[i].path) >= sizeof path)
            return -ENAMETOOLONG;
        error = file_write_atomic(path, (struct str){(const char *)files[i].bytes, files[i].size},
                                  files[i].mode);
    }
    return error;
}
