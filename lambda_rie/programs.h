/* programs.h - the interpreters of this machine, looked up once (private to lambda_rie). */
#ifndef PUDDLE_PROGRAMS_H
#define PUDDLE_PROGRAMS_H
#include "str.h"

/* The program itself, for ever valid; empty: not installed. A script in its place (the shims of
 * pyenv, asdf and the like, which need an environment that handlers do not have) is asked which
 * program it stands for. name: "node", "python3", "python3.12", ... */
struct str program_find(const char *name);
#endif
