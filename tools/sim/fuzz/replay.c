// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzz target on files, without a fuzzer: for coverage, and for
 * compilers that have none.  Usage: TARGET FILE|DIRECTORY...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int psync_replay_file(const char *path)
{
	uint8_t *data = NULL;
	struct stat st;
	FILE *file;
	size_t len;

	file = fopen(path, "rb");
	if (!file || fstat(fileno(file), &st)) {
		perror(path);
		return -1;
	}
	data = malloc(st.st_size + 1);
	len = data ? fread(data, 1, st.st_size, file) : 0;
	fclose(file);
	if (len != st.st_size) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(data);
		return -1;
	}
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 1;
}

/* Returns how many files there were, or -1. */
static int psync_replay_path(const char *path)
{
	struct dirent *entry;
	char name[4096];
	int count = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return psync_replay_file(path);
	while (count >= 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		count = psync_replay_file(name) < 0 ? -1 : count + 1;
	}
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0, more, i;

	for (i = 1; i < argc; i++) {
		more = psync_replay_path(argv[i]);
		if (more < 0)
			return 1;
		count += more;
	}
	printf("%d inputs\n", count);
	return !count;
}
