// SPDX-License-Identifier: GPL-2.0-only
/* Calls in which an allocation fails, each in its turn: see lib_nth.h. */

#include <limits.h>

#include "lib_nth.h"

static int nth_fd = -1;

/* A knob of the kernel's fault injection. */
static void nth_set(const char *knob, const char *value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s", knob);
	f = fopen(path, "w");
	if (!f || fputs(value, f) < 0 || fclose(f)) {
		perror(path);
		exit(2);
	}
}

/*
 * kmemleak allocates for every allocation, and can do without: skip that, by
 * the addresses of its functions, which are next to one another.
 */
static void nth_skip_kmemleak(void)
{
	static const char * const names[] = {
		"kmemleak_open", "__link_object", "__alloc_object",
		"__create_object", "kmemleak_scan",
	};
	unsigned long first = ULONG_MAX, last = 0, address;
	FILE *f = fopen("/proc/kallsyms", "r");
	char name[256], text[32];
	unsigned int i, found = 0;

	while (f && fscanf(f, "%lx %*c %255s%*[^\n]", &address, name) == 2) {
		for (i = 0; i < COUNT(names); i++)
			if (!strcmp(name, names[i]))
				break;
		if (i == COUNT(names))
			continue;
		found++;
		first = address < first ? address : first;
		last = address > last ? address : last;
	}
	if (found != COUNT(names) || last - first > 1 << 16) {
		fprintf(stderr, "cannot tell where kmemleak is\n");
		exit(2);
	}
	fclose(f);
	snprintf(text, sizeof(text), "%#lx", first);
	nth_set("failslab/reject-start", text);
	snprintf(text, sizeof(text), "%#lx", last);
	nth_set("failslab/reject-end", text);
}

void nth_init(void)
{
	/* Those that may sleep, too, and without a stack dump for each. */
	nth_set("failslab/ignore-gfp-wait", "N");
	nth_set("failslab/verbose", "0");
	nth_set("fail_usercopy/verbose", "0");
	nth_set("fail_page_alloc/verbose", "0");
	nth_skip_kmemleak();
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0) {
		perror("fail-nth");
		exit(2);
	}
}

bool nth_next(struct nth *n)
{
	if (n->over)
		return false;
	n->nth++;
	assert_in_range(n->nth, 1, NTH_MAX);
	return true;
}

void nth_end(const struct nth *n, const char *what)
{
	print_message("# %s: %u failures injected, %u errors\n", what,
		      n->injected, n->errors);
	assert_true(n->injected > 0);
	assert_true(n->errors > 0);
}

void nth_arm(const struct nth *n)
{
	char text[16];
	int len = sprintf(text, "%u", n->nth);

	assert_int_equal(pwrite(nth_fd, text, len, 0), len);
}

/* Reading and writing here count, too, and may fail. */
bool nth_disarm(void)
{
	char text[16] = "";
	ssize_t len = pread(nth_fd, text, sizeof(text) - 1, 0);

	while (pwrite(nth_fd, "0", 1, 0) != 1)
		;
	return len > 0 && atoi(text) == 0;
}

/* Inodes give ENFILE. */
bool nth_is_want(int err)
{
	return err == ENOMEM || err == ENOBUFS || err == EFAULT ||
	       err == ENFILE;
}

long nth_judge(struct nth *n, long value, const char *call)
{
	int err = errno;

	if (!nth_disarm()) {
		n->over = true;
		if (value < 0)
			fail_msg("%s, nothing injected: %s", call,
				 strerrorname_np(err));
		return value;
	}
	n->injected++;
	if (value < 0) {
		n->errors++;
		if (!nth_is_want(err))
			fail_msg("%s, failure %u injected: %s", call, n->nth,
				 strerrorname_np(err));
	}
	errno = err;
	return value;
}

/* Only what has an address from @start to before @end on the stack fails. */
static void nth_within(unsigned long start, unsigned long end)
{
	char text[32];

	snprintf(text, sizeof(text), "%#lx", start);
	nth_set("failslab/require-start", text);
	nth_set("fail_usercopy/require-start", text);
	snprintf(text, sizeof(text), "%#lx", end);
	nth_set("failslab/require-end", text);
	nth_set("fail_usercopy/require-end", text);
}

void nth_anywhere(void)
{
	nth_within(0, ULONG_MAX);
}

/* Where the kernel loads modules (x86-64). */
void nth_within_modules(void)
{
	nth_within(0xffffffffa0000000, 0xffffffffff000000);
}
