/* cli_client.h - the commands that ask a running server. All return the exit status. */
#ifndef PUDDLE_CLI_CLIENT_H
#define PUDDLE_CLI_CLIENT_H

int cli_invoke(int argc, char **argv);
int cli_logs(int argc, char **argv);
int cli_status(int argc, char **argv);
int cli_reset(int argc, char **argv);
int cli_env(int argc, char **argv);
#endif
