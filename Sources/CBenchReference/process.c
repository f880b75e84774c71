#define _GNU_SOURCE
#include "CBenchReference.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static void wanted(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

pid_t cbench_spawn_agent(const char *path, const char *configuration, const char *log)
{
	int output = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	pid_t parent = getpid();
	pid_t child;

	if (output < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		sigset_t none;

		/* Nothing is left running, whatever ends the benchmark. Only calls that are safe after fork. */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(127);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		execl(path, path, "run", "--config", configuration, (char *)NULL);
		_exit(127);
	}
	close(output);
	return child < 0 ? -errno : child;
}

void cbench_block_signals(void)
{
	sigset_t set;

	wanted(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cbench_wait_signal(void)
{
	sigset_t set;
	int signal = 0;

	wanted(&set);
	sigwait(&set, &signal);
	return signal;
}
