#define _GNU_SOURCE
#include "CPathLab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A file in memory at the standard descriptors costs no thread that feeds a pipe. */
int pathlab_run(const char *path, char *const argv[], const char *input, size_t input_length, char *output, size_t room)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int in = memfd_create("input", MFD_CLOEXEC), out = memfd_create("output", MFD_CLOEXEC);
	int status = -1, error = 0;
	ssize_t count;
	pid_t child;

	if (in < 0 || out < 0 || write(in, input, input_length) != (ssize_t)input_length || lseek(in, 0, SEEK_SET) < 0) {
		error = errno;
		goto done;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(&child, path, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (error)
		goto done;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	count = pread(out, output, room - 1, 0);
	output[count < 0 ? 0 : count] = 0;
done:
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (error)
		return -error;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
