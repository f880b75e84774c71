#include "CLibbpf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static clibbpf_log_fn log_fn;

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char text[2048];
	size_t length;

	if (!log_fn || level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), format, arguments);
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = 0;
	log_fn(level, text);
	return 0;
}

void clibbpf_set_log(clibbpf_log_fn fn)
{
	log_fn = fn;
	libbpf_set_print(print);
}

struct bpf_object *clibbpf_open(const void *bytes, size_t size, const char *name, const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name, .btf_custom_path = btf_path);

	return bpf_object__open_mem(bytes, size, &options);
}

int clibbpf_set_log_buffer(struct bpf_program *program, char *buffer, size_t size)
{
	return bpf_program__set_log_buf(program, buffer, size);
}

int clibbpf_program_info(int fd, struct clibbpf_program_info *info)
{
	struct bpf_prog_info kernel;
	__u32 size = sizeof(kernel);

	memset(&kernel, 0, sizeof(kernel));
	if (bpf_obj_get_info_by_fd(fd, &kernel, &size) < 0)
		return -errno;
	info->id = kernel.id;
	info->run_time_ns = kernel.run_time_ns;
	info->run_count = kernel.run_cnt;
	info->recursion_misses = kernel.recursion_misses;
	return 0;
}

int clibbpf_run(int fd, const void *context, size_t size)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = context, .ctx_size_in = size);

	return bpf_prog_test_run_opts(fd, &options);
}

int clibbpf_map_info(int fd, struct clibbpf_map_info *info)
{
	struct bpf_map_info kernel;
	__u32 size = sizeof(kernel);

	memset(&kernel, 0, sizeof(kernel));
	if (bpf_obj_get_info_by_fd(fd, &kernel, &size) < 0)
		return -errno;
	info->id = kernel.id;
	info->type = kernel.type;
	info->key_size = kernel.key_size;
	info->value_size = kernel.value_size;
	info->max_entries = kernel.max_entries;
	return 0;
}

int clibbpf_lookup_batch(int fd, _Bool first, __u64 *position, void *keys, void *values, __u32 *count)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	__u64 in = *position;
	int error = bpf_map_lookup_batch(fd, first ? NULL : &in, position, keys, values, count, &options);

	if (error == -ENOENT)
		return 1;
	return error;
}

int clibbpf_query_programs(int target, unsigned int attach_type, __u32 *ids, __u32 room)
{
	__u32 count = room, flags = 0;
	int error = bpf_prog_query(target, (enum bpf_attach_type)attach_type, 0, &flags, ids, &count);

	/* -ENOSPC: there are more than fit, and `count` says how many. */
	return error < 0 && error != -ENOSPC ? error : (int)count;
}

long clibbpf_next_program(__u32 id)
{
	__u32 next = 0;
	int error = bpf_prog_get_next_id(id, &next);

	return error == -ENOENT ? 0 : error < 0 ? error : (long)next;
}

long clibbpf_next_link(__u32 id)
{
	__u32 next = 0;
	int error = bpf_link_get_next_id(id, &next);

	return error == -ENOENT ? 0 : error < 0 ? error : (long)next;
}

int clibbpf_program_name(__u32 id, struct clibbpf_program_name *result)
{
	struct bpf_prog_info kernel;
	__u32 size = sizeof(kernel);
	int fd = bpf_prog_get_fd_by_id(id), error;

	if (fd < 0)
		return fd;
	memset(&kernel, 0, sizeof(kernel));
	error = bpf_obj_get_info_by_fd(fd, &kernel, &size) < 0 ? -errno : 0;
	close(fd);
	result->type = kernel.type;
	memcpy(result->name, kernel.name, sizeof(result->name));
	return error;
}

int clibbpf_link_kind(__u32 id, struct clibbpf_link_kind *result)
{
	struct bpf_link_info kernel;
	__u32 size = sizeof(kernel);
	int fd = bpf_link_get_fd_by_id(id), error;

	if (fd < 0)
		return fd;
	memset(&kernel, 0, sizeof(kernel));
	error = bpf_obj_get_info_by_fd(fd, &kernel, &size) < 0 ? -errno : 0;
	close(fd);
	result->type = kernel.type;
	result->program = kernel.prog_id;
	return error;
}
