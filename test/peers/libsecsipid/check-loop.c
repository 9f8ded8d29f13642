/*
 * How many Identity headers libsecsipid verifies and signs in a second, on one core.
 *
 *   GOMAXPROCS=1 check-loop IDENTITY_FILE PUBLIC_KEY_FILE PRIVATE_KEY_FILE
 *
 * The process stays and takes one order per line of standard input, so that a benchmark can interleave its rounds with
 * those of another library:
 *
 *   verify MILLISECONDS    SecSIPIDCheckFullPubKey over the given header until the time is over
 *   sign MILLISECONDS      SecSIPIDGetIdentityPrvKey, one new header each time
 *
 * and answers each with one line, `RATE CORES`: calls per second of wall time, and the CPU time used by all threads of
 * the process divided by the wall time. A call that does not succeed ends the process with status 1: a rate of failures
 * is no rate.
 *
 * The library is a Go runtime with a thread per core. GOMAXPROCS must be in the environment before the library is
 * loaded, so this program refuses to run without it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <secsipid.h>

/* A header of 8 KiB and a PEM of a few hundred bytes both fit; anything larger is not ours. */
#define FILE_LIMIT 16384
#define LINE_LIMIT 64
/* No round is longer than this, so that a mistyped order does not hang a build. */
#define ROUND_LIMIT_MS 60000
/* The header is signed once and verified for as long as the benchmark runs. */
#define EXPIRE_SECONDS 86400

struct material {
	char identity[FILE_LIMIT];
	char public_key[FILE_LIMIT];
	char private_key[FILE_LIMIT];
	int identity_length;
	int public_key_length;
};

static int read_file(const char *path, char *into)
{
	FILE *file = fopen(path, "rb");
	if(file == NULL) {
		perror(path);
		exit(2);
	}
	size_t length = fread(into, 1, FILE_LIMIT - 1, file);
	int whole = feof(file);
	fclose(file);
	if(!whole) {
		fprintf(stderr, "%s: longer than %d bytes\n", path, FILE_LIMIT - 1);
		exit(2);
	}
	into[length] = '\0';
	return (int)length;
}

static double wall_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
		   + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void verify_once(struct material *material)
{
	int code = SecSIPIDCheckFullPubKey(material->identity, material->identity_length, EXPIRE_SECONDS,
			material->public_key, material->public_key_length);
	if(code != 0) {
		fprintf(stderr, "SecSIPIDCheckFullPubKey returned %d\n", code);
		exit(1);
	}
}

static void sign_once(struct material *material)
{
	char *header = NULL;
	int code = SecSIPIDGetIdentityPrvKey("12025550100", "12025550101", "A", "01234567-89ab-4cde-8f01-23456789abcd",
			"https://certificates.example/sp.pem", material->private_key, &header);
	if(code <= 0 || header == NULL) {
		fprintf(stderr, "SecSIPIDGetIdentityPrvKey returned %d\n", code);
		exit(1);
	}
	free(header);
}

static void run_round(struct material *material, void (*once)(struct material *), int milliseconds)
{
	double cpu = cpu_seconds();
	double start = wall_seconds();
	double end = start + milliseconds / 1e3;
	double now = start;
	long calls = 0;
	while(now < end) {
		once(material);
		calls++;
		now = wall_seconds();
	}
	printf("%.1f %.2f\n", (double)calls / (now - start), (cpu_seconds() - cpu) / (now - start));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct material material;
	char line[LINE_LIMIT];
	char order[LINE_LIMIT];
	int milliseconds;
	const char *processors = getenv("GOMAXPROCS");

	if(argc != 4) {
		fprintf(stderr, "usage: GOMAXPROCS=1 %s IDENTITY_FILE PUBLIC_KEY_FILE PRIVATE_KEY_FILE\n", argv[0]);
		return 2;
	}
	if(processors == NULL || strcmp(processors, "1") != 0) {
		fprintf(stderr, "GOMAXPROCS must be 1: the figure is one of one core\n");
		return 2;
	}
	material.identity_length = read_file(argv[1], material.identity);
	material.public_key_length = read_file(argv[2], material.public_key);
	read_file(argv[3], material.private_key);

	while(fgets(line, sizeof line, stdin) != NULL) {
		if(sscanf(line, "%63s %d", order, &milliseconds) != 2 || milliseconds < 1 || milliseconds > ROUND_LIMIT_MS) {
			fprintf(stderr, "expected: verify|sign MILLISECONDS\n");
			return 2;
		}
		if(strcmp(order, "verify") == 0) {
			run_round(&material, verify_once, milliseconds);
		} else if(strcmp(order, "sign") == 0) {
			run_round(&material, sign_once, milliseconds);
		} else {
			fprintf(stderr, "unknown order: %s\n", order);
			return 2;
		}
	}
	return 0;
}
