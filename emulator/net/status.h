/* status.h - reason phrases (private to net). */
#ifndef PUDDLE_STATUS_H
#define PUDDLE_STATUS_H

const char *status_reason(unsigned status); /* "Status" for one that has no name here */
#endif
