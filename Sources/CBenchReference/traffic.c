#define _GNU_SOURCE
#include "CBenchReference.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void sleep_until(int64_t moment)
{
	struct timespec time = { .tv_sec = moment / 1000000000, .tv_nsec = moment % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

static struct sockaddr_in place(const char *address, uint16_t port)
{
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, address, &place.sin_addr);
	return place;
}

/* A socket whose calls end after five seconds whatever happens. */
static int tcp(int flags)
{
	struct timeval bound = { .tv_sec = 5 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	}
	return fd;
}

int64_t cbench_udp(const char *address, uint16_t port, int milliseconds, uint32_t per_second)
{
	struct sockaddr_in to = place(address, port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int64_t start = now();
	int64_t end = start + milliseconds * 1000000LL;
	int64_t sent = 0;
	char payload[64] = { 0 };

	if (fd < 0)
		return -errno;
	for (int64_t time = start; time < end; time = now()) {
		int64_t due = per_second ? (time - start) * per_second / 1000000000 + 1 : sent + 64;

		for (; sent < due; sent++)
			/* An answer (ICMP) to an earlier datagram shows up here once: send again. */
			if (sendto(fd, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
			    sendto(fd, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
				int error = errno;

				close(fd);
				return -error;
			}
		if (per_second)
			sleep_until(time + 1000000);
	}
	close(fd);
	return sent;
}

int cbench_listen(uint16_t port)
{
	struct sockaddr_in any = place("0.0.0.0", port);
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 4096) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

void cbench_serve(int listener)
{
	static const size_t room = 1 << 18;
	char *buffer = malloc(room);

	while (buffer) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			break;
		}
		while (read(fd, buffer, room) > 0)
			;
		close(fd);
	}
	free(buffer);
}

void cbench_stop_serving(int listener)
{
	shutdown(listener, SHUT_RDWR);
}

/* Ends a connection in order: the end is told, the peer's end awaited. Nothing is reset and no orphan is left. */
static void finish(int fd)
{
	char byte;

	shutdown(fd, SHUT_WR);
	while (read(fd, &byte, 1) > 0)
		;
	close(fd);
}

int64_t cbench_stream(const char *address, uint16_t port, int milliseconds, double *seconds)
{
	static char payload[1 << 17];
	struct sockaddr_in to = place(address, port);
	int fd = tcp(0);
	int64_t start, bytes = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	start = now();
	while (now() - start < milliseconds * 1000000LL) {
		ssize_t written = write(fd, payload, sizeof(payload));

		if (written < 0) {
			int error = errno;

			close(fd);
			return -error;
		}
		bytes += written;
	}
	finish(fd);
	*seconds = (now() - start) / 1e9;
	return bytes;
}

int64_t cbench_connects(const char *address, uint16_t port, int milliseconds, double *seconds)
{
	struct sockaddr_in to = place(address, port);
	int64_t start = now(), count = 0;

	while (now() - start < milliseconds * 1000000LL) {
		int fd = tcp(0);

		if (fd < 0)
			return -errno;
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0) {
			finish(fd);
		} else {
			int error = errno;

			close(fd);
			if (error != ECONNREFUSED)
				return -error;
		}
		count++;
	}
	*seconds = (now() - start) / 1e9;
	return count;
}

int cbench_half_open(const char *address, uint16_t port, int count, int milliseconds)
{
	struct sockaddr_in to = place(address, port);
	int *fds = calloc(count, sizeof(*fds));
	int error = 0, opened = 0;

	if (!fds)
		return -ENOMEM;
	for (; opened < count; opened++) {
		fds[opened] = tcp(SOCK_NONBLOCK);
		if (fds[opened] < 0 ||
		    (connect(fds[opened], (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)) {
			error = errno;
			opened += fds[opened] >= 0;
			break;
		}
	}
	if (!error)
		sleep_until(now() + milliseconds * 1000000LL);
	while (opened > 0)
		close(fds[--opened]);
	free(fds);
	return -error;
}
