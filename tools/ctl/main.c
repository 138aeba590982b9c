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

enum takes {
    TAKES_STATE = 1, ///< and needs it
    TAKES_NAME = 2,
    TAKES_TLS = 4,
    TAKES_NEXT = 8,
    TAKES_EXPIRES = 16,
    TAKES_NEW = 32,
    TAKES_YES = 64,
    TAKES_CODE = 128,
    TAKES_WORD = 256, ///< and needs it
};

struct command {
    const char *first, *second; ///< second is "" for commands of one word
    int (*run)(const struct ctl_args *args);
    unsigned takes;
    const char *usage, *meaning;
};

static const struct command commands[] = {
    {"status",
     "",
     ctl_status,
     TAKES_STATE | TAKES_CODE,
     "status --state DIR [--code]",
     "say what the box signs in with and until when, who authorised it, and the\n"
     "      fingerprint of its page; --code: the setup code, too"},
    {"setup-code",
     "",
     ctl_setup_code,
     TAKES_STATE | TAKES_NEW,
     "setup-code --state DIR [--new]",
     "print the code that the box's page asks for, made if there is none;\n"
     "      --new: another one, which counts from the next start of anteroomd on"},
    {"certificate",
     "renew",
     ctl_certificate_renew,
     TAKES_STATE | TAKES_NAME,
     "certificate renew --state DIR [--name NAME]",
     "make the certificate that is to follow, with the same key, and print it for\n"
     "      upload; the box changes over by itself and does it by itself 60 days before the end"},
    {"certificate",
     "",
     ctl_certificate,
     TAKES_STATE | TAKES_NAME | TAKES_TLS | TAKES_NEXT,
     "certificate --state DIR [--name NAME] [--next | --tls]",
     "print the box's certificate (PEM) for upload to the app registration;\n"
     "      key and certificate are made if there are none, NAME goes into the new one;\n"
     "      --next: the one that is to follow it; --tls: the other one, of the page and for\n"
     "      sinks with client_certificate \"device\""},
    {"key",
     "remove",
     ctl_key_remove,
     TAKES_STATE,
     "key remove --state DIR",
     "remove the key that signs in, for good, and its certificates; new ones are made at\n"
     "      the next start or by 'certificate', and that is to be uploaded"},
    {"secret",
     "put",
     ctl_secret_put,
     TAKES_STATE | TAKES_NEXT | TAKES_EXPIRES | TAKES_WORD,
     "secret put --state DIR [--next] [--expires YYYY-MM-DD] NAME",
     "read a secret (one line) from standard input into the token store;\n"
     "      client-secret is the application's, a sink's authorization names its own;\n"
     "      for client-secret, --expires: the day that Entra names as its end; --next: it stands\n"
     "      beside the one in use until Entra takes it, and then replaces it"},
    {"secret",
     "remove",
     ctl_secret_remove,
     TAKES_STATE | TAKES_WORD,
     "secret remove --state DIR NAME",
     "remove a secret, or tls-key and tls-certificate, which are then made anew"},
    {"forget",
     "",
     ctl_forget,
     TAKES_STATE | TAKES_YES,
     "forget --state DIR [--yes]",
     "wipe keys, secrets, tokens and everything collected, look whether it is gone, and\n"
     "      say what is to be revoked in the tenant; anteroomd must not run; asks first,\n"
     "      unless --yes"},
    {"config",
     "check",
     ctl_config_check,
     TAKES_WORD,
     "config check FILE",
     "say everything that is wrong with a configuration"},
    {"config",
     "help",
     ctl_config_help,
     0,
     "config help",
     "print all keys of the configuration with ranges and defaults"},
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

/// @param make  else RC_NOTFOUND where there is none.
static RC open_there(struct tokenstore *store, bool make, struct tokenstore_findings *found)
{
    int state_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (state_fd < 0) {
        return RC_IO;
    }
    enum rc rc = make ? hal_tokenstore_open(store, state_fd, found)
                      : hal_tokenstore_look(store, state_fd, found);
    close(state_fd);
    return rc;
}

enum how {
    HOW_MAKE = 1, ///< one is there afterwards
    HOW_LOOK,     ///< there may be none
    HOW_TRY,      ///< it may be broken, too: said, and STATE is entered all the same
};

/// When STATE was entered.
static int open_entered(struct tokenstore *store, enum how how, bool *there)
{
    struct tokenstore_findings found;
    enum rc rc = open_there(store, how == HOW_MAKE, &found);
    *there = rc == RC_OK;
    if (*there && found.rolled_back) {
        fprintf(stderr,
                "anteroomctl: token store: older than this machine knows: it was restored from a "
                "copy; put every secret anew; the first that is put or removed ends this "
                "message\n");
    }
    if (*there) {
        return EX_OK;
    }
    hal_tokenstore_close(store);
    int code = how != HOW_MAKE && rc == RC_NOTFOUND ? EX_OK : say_store(rc, &found);
    return how == HOW_TRY ? EX_OK : code;
}

static int
open_store(const struct ctl_args *args, struct tokenstore *store, enum how how, bool *there)
{
    struct tokenstore_findings found;
    enum rc attached = hal_tokenstore_attach(store, &found); // while we may open its device
    int code = say_store(attached, &found);
    *there = false;
    if (code != EX_OK && how != HOW_TRY) {
        return code;
    }
    code = enter_state(args->state_dir);
    if (code != EX_OK) {
        hal_tokenstore_close(store);
        return code;
    }
    if (crypto_init() != RC_OK) {
        return ctl_fail(EX_OSERR, "random numbers", "the kernel gives none");
    }
    return attached == RC_OK ? open_entered(store, how, there) : EX_OK;
}

int ctl_open_store(const struct ctl_args *args, struct tokenstore *store)
{
    bool there;
    return open_store(args, store, HOW_MAKE, &there);
}

int ctl_change_store(const struct ctl_args *args, struct tokenstore *store)
{
    int code = ctl_open_store(args, store);
    store->by_person = true;
    return code;
}

int ctl_look_store(const struct ctl_args *args, struct tokenstore *store, bool *there)
{
    return open_store(args, store, HOW_LOOK, there);
}

int ctl_try_store(const struct ctl_args *args, struct tokenstore *store, bool *there)
{
    return open_store(args, store, HOW_TRY, there);
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

/// One option, and its value if it has one. @return how many words that were; 0: none that the
/// command knows.
static int
take_option(const struct command *c, const char *text, const char *value, struct ctl_args *args)
{
    const struct {
        const char *text;
        unsigned takes;
        const char **value;
        bool *flag;
    } options[] = {
        {"--state", TAKES_STATE, &args->state_dir, NULL},
        {"--name", TAKES_NAME, &args->name, NULL},
        {"--expires", TAKES_EXPIRES, &args->expires, NULL},
        {"--tls", TAKES_TLS, NULL, &args->tls},
        {"--next", TAKES_NEXT, NULL, &args->next},
        {"--new", TAKES_NEW, NULL, &args->fresh},
        {"--yes", TAKES_YES, NULL, &args->yes},
        {"--code", TAKES_CODE, NULL, &args->code},
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (strcmp(text, options[i].text) != 0 || (c->takes & options[i].takes) == 0) {
            continue;
        }
        if (options[i].flag != NULL) {
            *options[i].flag = true;
            return 1;
        }
        *options[i].value = value;
        return 2;
    }
    return 0;
}

/// Takes what the command knows; NULL or what is wrong.
static const char *parse(const struct command *c, int argc, char **argv, struct ctl_args *args)
{
    for (int i = c->second[0] != '\0' ? 3 : 2; i < argc;) {
        int words = take_option(c, argv[i], i + 1 < argc ? argv[i + 1] : NULL, args);
        if (i + words > argc) {
            return "an option needs a value";
        }
        if (words == 0 &&
            (argv[i][0] == '-' || (c->takes & TAKES_WORD) == 0 || args->word != NULL)) {
            return "unknown argument";
        }
        args->word = words == 0 ? argv[i] : args->word;
        i += words == 0 ? 1 : words;
    }
    if ((c->takes & TAKES_STATE) != 0 && args->state_dir == NULL) {
        return "--state DIR is missing";
    }
    if (args->tls && args->next) {
        return "--tls and --next do not go together";
    }
    return (c->takes & TAKES_WORD) != 0 && args->word == NULL ? "an argument is missing" : NULL;
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
