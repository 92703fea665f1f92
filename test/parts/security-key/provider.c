/*
 * A security key in software for OpenSSH (SSH_SK_PROVIDER), for tests only. It holds nothing: every call is passed as
 * hexadecimal words to the program named by GATEHOUSE_TOKEN, whose answer is hexadecimal words on one line.
 * The interface is OpenSSH's PROTOCOL.u2f, "SSH U2F middleware".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The major version in the upper half must be the caller's; the build passes it. */
#ifndef API_VERSION
#define API_VERSION 0x000a0000
#endif

struct sk_option;

struct sk_enroll_response {
  uint8_t flags;
  uint8_t *public_key;
  size_t public_key_len;
  uint8_t *key_handle;
  size_t key_handle_len;
  uint8_t *signature;
  size_t signature_len;
  uint8_t *attestation_cert;
  size_t attestation_cert_len;
  uint8_t *authdata;
  size_t authdata_len;
};

struct sk_sign_response {
  uint8_t flags;
  uint32_t counter;
  uint8_t *sig_r;
  size_t sig_r_len;
  uint8_t *sig_s;
  size_t sig_s_len;
};

static void put_hex(char *out, const uint8_t *bytes, size_t length) {
  size_t at = strlen(out);
  out[at++] = ' ';
  out[at++] = 'x'; /* an empty value stays a word */
  for (size_t i = 0; i < length; i++) at += (size_t)sprintf(out + at, "%02x", bytes[i]);
  out[at] = 0;
}

static uint8_t *get_hex(const char *word, size_t *length) {
  size_t count = strlen(word) / 2;
  uint8_t *out = calloc(count + 1, 1);
  for (size_t i = 0; i < count; i++) {
    unsigned value = 0;
    sscanf(word + 2 * i, "%2x", &value);
    out[i] = (uint8_t)value;
  }
  *length = count;
  return out;
}

/* Runs the token and splits its line; returns the number of words. */
static int ask(const char *command, char *answer, size_t size, char **words, int max) {
  FILE *token = popen(command, "r");
  if (token == NULL) return 0;
  char *line = fgets(answer, (int)size, token);
  pclose(token);
  int count = 0;
  if (line != NULL)
    for (char *word = strtok(line, " \n"); word != NULL && count < max; word = strtok(NULL, " \n")) words[count++] = word;
  return count;
}

static char *command_for(const char *verb, uint32_t alg, uint8_t flags, const char *application, size_t room) {
  const char *program = getenv("GATEHOUSE_TOKEN");
  if (program == NULL) return NULL;
  char *command = calloc(strlen(program) + strlen(application) * 2 + room + 256, 1);
  sprintf(command, "%s %s %u %u", program, verb, (unsigned)alg, (unsigned)flags);
  put_hex(command, (const uint8_t *)application, strlen(application));
  return command;
}

uint32_t sk_api_version(void) { return API_VERSION; }

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application, uint8_t flags,
              const char *pin, struct sk_option **options, struct sk_enroll_response **response) {
  (void)challenge, (void)challenge_len, (void)pin, (void)options;
  char answer[4096], *words[3];
  char *command = command_for("enroll", alg, flags, application, 0);
  if (command == NULL) return -1;
  int count = ask(command, answer, sizeof answer, words, 3);
  free(command);
  if (count != 2) return -1;
  struct sk_enroll_response *out = calloc(1, sizeof *out);
  out->flags = flags;
  out->public_key = get_hex(words[0], &out->public_key_len);
  out->key_handle = get_hex(words[1], &out->key_handle_len);
  out->signature = calloc(1, 1); /* required, and never looked at without an attestation */
  out->signature_len = 1;
  *response = out;
  return 0;
}

int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application, const uint8_t *key_handle,
            size_t key_handle_len, uint8_t flags, const char *pin, struct sk_option **options,
            struct sk_sign_response **response) {
  (void)pin, (void)options;
  char answer[4096], *words[5];
  char *command = command_for("sign", alg, flags, application, 2 * (key_handle_len + data_len));
  if (command == NULL) return -1;
  put_hex(command, key_handle, key_handle_len);
  put_hex(command, data, data_len);
  int count = ask(command, answer, sizeof answer, words, 5);
  free(command);
  if (count < 3) return -1;
  struct sk_sign_response *out = calloc(1, sizeof *out);
  out->flags = (uint8_t)strtoul(words[0], NULL, 10);
  out->counter = (uint32_t)strtoul(words[1], NULL, 10);
  out->sig_r = get_hex(words[2], &out->sig_r_len);
  if (count > 3) out->sig_s = get_hex(words[3], &out->sig_s_len);
  *response = out;
  return 0;
}

int sk_load_resident_keys(const char *pin, struct sk_option **options, void ***keys, size_t *count) {
  (void)pin, (void)options;
  *keys = NULL;
  *count = 0;
  return 0;
}
