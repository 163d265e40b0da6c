/* tcp.h - listening sockets (private to net). */
#ifndef PUDDLE_TCP_H
#define PUDDLE_TCP_H
#include <stdint.h>

/* host: a numeric address or "localhost"; port 0: any free one. Returns the descriptor
 * (non-blocking, close-on-exec) or -errno; -EINVAL for a host that is none. */
int tcp_listen(const char *host, uint16_t port, uint16_t *ret_port);
#endif
