/* A PKCS#11 module that hands everything to another one, MODULE, except for what the file TOLD has
 * one word for. Each login leaves one byte in TOLD.logins, and each session that is opened one in
 * TOLD.sessions. Both are defined when it is compiled. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;

/* The order of functions in CK_FUNCTION_LIST. */
enum { FINALIZE = 1, GET_SLOT_LIST = 4, GET_TOKEN_INFO = 6, OPEN_SESSION = 12, LOGIN = 18, LOGOUT = 19, SIGN_INIT = 42, SIGN = 43, COUNT = 68 };

struct list {
    unsigned char version[2];
    void *function[COUNT];
};

static struct list ours, *theirs;

static int told(const char *word) {
    char text[64] = "";
    FILE *file = fopen(TOLD, "r");
    if (!file)
        return 0;
    char *read = fgets(text, sizeof text, file);
    fclose(file);
    return read && strcmp(text, word) == 0;
}

static ulong_t get_slot_list(unsigned char present, ulong_t *slots, ulong_t *count) {
    if (told("hang-at-open"))
        for (;;)
            pause();
    if (told("removed")) {
        *count = 0;
        return 0;
    }
    return ((ulong_t(*)(unsigned char, ulong_t *, ulong_t *))theirs->function[GET_SLOT_LIST])(present, slots, count);
}

static ulong_t get_token_info(ulong_t slot, unsigned char *info) {
    ulong_t answer = ((ulong_t(*)(ulong_t, unsigned char *))theirs->function[GET_TOKEN_INFO])(slot, info);
    ulong_t *flags = (ulong_t *)(info + 96);
    if (told("last-try"))
        *flags |= 0x20000;
    if (told("locked"))
        *flags |= 0x40000;
    return answer;
}

static void count_in(const char *name) {
    FILE *file = fopen(name, "a");
    if (file) {
        fputc('.', file);
        fclose(file);
    }
}

static ulong_t open_session(ulong_t slot, ulong_t flags, void *application, void *notify, ulong_t *session) {
    count_in(TOLD ".sessions");
    return ((ulong_t(*)(ulong_t, ulong_t, void *, void *, ulong_t *))theirs->function[OPEN_SESSION])(slot, flags, application, notify, session);
}

static ulong_t login(ulong_t session, ulong_t user, void *pin, ulong_t length) {
    count_in(TOLD ".logins");
    if (told("pin-changed"))
        return 0xA0; /* CKR_PIN_INCORRECT */
    if (told("login-fails"))
        return 5; /* CKR_GENERAL_ERROR */
    return ((ulong_t(*)(ulong_t, ulong_t, void *, ulong_t))theirs->function[LOGIN])(session, user, pin, length);
}

static ulong_t sign_init(ulong_t session, void *mechanism, ulong_t key) {
    if (told("lost-once")) {
        unlink(TOLD);
        return 0xB3; /* CKR_SESSION_HANDLE_INVALID */
    }
    if (told("logged-out")) {
        unlink(TOLD);
        ((ulong_t(*)(ulong_t))theirs->function[LOGOUT])(session);
    }
    if (told("pin-changed"))
        ((ulong_t(*)(ulong_t))theirs->function[LOGOUT])(session);
    if (told("finalized")) {
        unlink(TOLD);
        ((ulong_t(*)(void *))theirs->function[FINALIZE])(NULL);
    }
    if (told("removed"))
        return 0x32; /* CKR_DEVICE_REMOVED */
    if (told("denied"))
        return 0x68; /* CKR_KEY_FUNCTION_NOT_PERMITTED */
    if (told("exhausted"))
        return 0x31; /* CKR_DEVICE_MEMORY */
    if (told("broken"))
        return 0x30; /* CKR_DEVICE_ERROR */
    if (told("no-mechanism"))
        return 0x70; /* CKR_MECHANISM_INVALID */
    return ((ulong_t(*)(ulong_t, void *, ulong_t))theirs->function[SIGN_INIT])(session, mechanism, key);
}

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t length, unsigned char *out, ulong_t *out_length) {
    if (out && told("slow"))
        sleep(2);
    ulong_t answer = ((ulong_t(*)(ulong_t, void *, ulong_t, void *, ulong_t *))theirs->function[SIGN])(session, data, length, out, out_length);
    if (out && told("garbage"))
        memset(out, 0x41, *out_length);
    if (out && told("short"))
        *out_length = 3;
    return answer;
}

ulong_t C_GetFunctionList(struct list **list) {
    void *library = dlopen(MODULE, RTLD_NOW);
    ulong_t (*get)(struct list **) = library ? (ulong_t(*)(struct list **))dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&theirs) != 0)
        return 5; /* CKR_GENERAL_ERROR */
    ours = *theirs;
    ours.function[GET_SLOT_LIST] = (void *)get_slot_list;
    ours.function[GET_TOKEN_INFO] = (void *)get_token_info;
    ours.function[OPEN_SESSION] = (void *)open_session;
    ours.function[LOGIN] = (void *)login;
    ours.function[SIGN_INIT] = (void *)sign_init;
    ours.function[SIGN] = (void *)sign;
    *list = &ours;
    return 0;
}
