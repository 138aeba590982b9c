// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crypto.h"

#include "ctl.h"
#include "sys/confine.h"

struct command {
    const char *first, *second; ///< second is "" for commands of one word
    int (*run)(const struct ctl_args *args);
    bool state, name, tls, word; ///< what it takes; --state and the word are then needed
    const char *usage, *meaning;
};

static const struct command commands[] = {
    {"certificate",
     "",
     ctl_certificate,
     .state = true,
     .name = true,
     .tls = true,
     .usage = "certificate --state DIR [--name NAME] [--tls]",
     .meaning =
         "print the box's certificate (PEM) for upload to the app registration;\n"
         "      key and certificate are made if there are none, NAME goes into the new one;\n"
         "      --tls: the other one, for sinks with client_certificate \"device\""},
    {"key",
     "remove",
     ctl_key_remove,
     .state = true,
     .usage = "key remove --state DIR",
     .meaning =
         "remove the key that signs in, for good, and its certificate; new ones are made at\n"
         "      the next start or by 'certificate', and that is to be uploaded"},
    {"secret",
     "put",
     ctl_secret_put,
     .state = true,
     .word = true,
     .usage = "secret put --state DIR NAME",
     .meaning = "read a secret (one line) from standard input into the token store;\n"
                "      client-secret is the application's, a sink's authorization names its own"},
    {"secret",
     "remove",
     ctl_secret_remove,
     .state = true,
     .word = true,
     .usage = "secret remove --state DIR NAME",
     .meaning = "remove a secret, or tls-key and tls-certificate, which are then made anew"},
    {"config",
     "check",
     ctl_config_check,
     .word = true,
     .usage = "config check FILE",
     .meaning = "say everything that is wrong with a configuration"},
    {"config",
     "help",
     ctl_config_help,
     .usage = "config help",
     .meaning = "print all keys of the configuration with ranges and defaults"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int ctl_fail(int code, const char *what, const char *reason)
{
    fprintf(stderr, "anteroomctl: %s: %s\n", what, reason);
    return code;
}

/// STATE becomes the working directory, and root its owner: what we write must be anteroomd's.
static int enter_state(const char *state_dir)
{
    struct confine confine;
    int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return ctl_fail(EX_CANTCREAT, state_dir, "the state directory is not there");
    }
    enum rc rc = confine_user(&confine, fd, 0);
    close(fd);
    if (rc != RC_OK) {
        fprintf(stderr, "anteroomctl: %s: %s; %s\n", state_dir, confine.wrong, confine.advice);
        return rc == RC_DENIED ? EX_NOPERM : EX_OSERR;
    }
    return EX_OK;
}

static int say_store(enum rc rc, const struct tokenstore_findings *found)
{
    struct tokenstore_words words = hal_tokenstore_words(rc, found);
    if (rc == RC_OK) {
        return EX_OK;
    }
    fprintf(stderr, "anteroomctl: token store: %s; %s\n", words.what, words.advice);
    switch (rc) {
    case RC_DENIED:
        return EX_NOPERM;
    case RC_RETRY:
        return EX_TEMPFAIL;
    case RC_UNSUPPORTED:
        return EX_CONFIG;
    case RC_CORRUPT:
    case RC_STALE:
        return EX_SOFTWARE;
    default:
        return EX_CANTCREAT;
    }
}

int ctl_open_store(const struct ctl_args *args, struct tokenstore *store)
{
    struct tokenstore_findings found;
    enum rc rc = hal_tokenstore_attach(store, &found); // while we may open its device
    if (rc != RC_OK) {
        return say_store(rc, &found);
    }
    int code = enter_state(args->state_dir);
    if (code != EX_OK) {
        hal_tokenstore_close(store);
        return code;
    }
    if (crypto_init() != RC_OK) {
        return ctl_fail(EX_OSERR, "random numbers", "the kernel gives none");
    }
    int state_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = state_fd >= 0 ? hal_tokenstore_open(store, state_fd, &found) : RC_IO;
    if (state_fd >= 0) {
        close(state_fd);
    }
    if (rc == RC_OK && found.rolled_back) {
        fprintf(stderr,
                "anteroomctl: token store: older than this machine knows: it was restored from a "
                "copy; put every secret anew; the first change ends this message\n");
    }
    if (rc != RC_OK) {
        hal_tokenstore_close(store);
    }
    return say_store(rc, &found);
}

RC ctl_read_all(int fd, struct buf *out)
{
    for (;;) { // each turn fills out or ends
        char one_more;
        bool full = out->len == out->cap;
        ssize_t got =
            full ? read(fd, &one_more, 1) : read(fd, out->ptr + out->len, out->cap - out->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? RC_OK : RC_IO;
        }
        if (full) {
            return RC_TOOBIG;
        }
        out->len += (size_t)got;
    }
}

static void print_help(void)
{
    puts("usage: anteroomctl COMMAND\n\ncommands:");
    for (unsigned i = 0; i < COMMANDS; i++) {
        printf("  %s\n      %s\n", commands[i].usage, commands[i].meaning);
    }
    puts("  --help, --version\n\n"
         "DIR is the state directory of anteroomd. Run as its owner, or as root,\n"
         "which becomes its owner.\n"
         "exit codes: 0 done, 64 usage, 65 bad input, 66 no such file or secret, 70 broken store, "
         "73 cannot make,\n"
         "74 disk, 75 try again, 77 permissions, 78 configuration or device");
}

static const struct command *find_command(int argc, char **argv)
{
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command *c = &commands[i];
        bool two = c->second[0] != '\0';
        if (argc > 1 && strcmp(argv[1], c->first) == 0 &&
            (!two || (argc > 2 && strcmp(argv[2], c->second) == 0))) {
            return c;
        }
    }
    return NULL;
}

/// Takes what the command knows; NULL or what is wrong.
static const char *parse(const struct command *c, int argc, char **argv, struct ctl_args *args)
{
    for (int i = c->second[0] != '\0' ? 3 : 2; i < argc; i++) {
        const char **value = NULL;
        if (strcmp(argv[i], "--state") == 0 && c->state) {
            value = &args->state_dir;
        } else if (strcmp(argv[i], "--name") == 0 && c->name) {
            value = &args->name;
        } else if (strcmp(argv[i], "--tls") == 0 && c->tls) {
            args->tls = true;
            continue;
        } else if (argv[i][0] == '-' || !c->word || args->word != NULL) {
            return "unknown argument";
        } else {
            args->word = argv[i];
            continue;
        }
        if (i + 1 == argc) {
            return "an option needs a value";
        }
        *value = argv[++i];
    }
    if (c->state && args->state_dir == NULL) {
        return "--state DIR is missing";
    }
    return c->word && args->word == NULL ? "an argument is missing" : NULL;
}

int main(int argc, char **argv)
{
    confine_quiet();
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        print_help();
        return EX_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("anteroomctl board=%s epoch=%d\n", CONFIG_BOARD_NAME, CONFIG_BUILD_EPOCH);
        return EX_OK;
    }
    const struct command *command = find_command(argc, argv);
    if (command == NULL) {
        return ctl_fail(EX_USAGE, argc > 1 ? "unknown command" : "no command", "try --help");
    }
    struct ctl_args args = {0};
    const char *wrong = parse(command, argc, argv, &args);
    if (wrong != NULL) {
        fprintf(stderr, "usage: anteroomctl %s\n", command->usage);
        return ctl_fail(EX_USAGE, command->first, wrong);
    }
    int code = command->run(&args);
    return fflush(stdout) == 0 || code != EX_OK
               ? code
               : ctl_fail(EX_IOERR, "standard output", "cannot be written");
}
