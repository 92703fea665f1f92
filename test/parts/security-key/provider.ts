/** Builds the software security key for OpenSSH's tools, where there is a C compiler and ssh-sk-helper. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const helper = "/usr/lib/openssh/ssh-sk-helper";
const here = import.meta.dirname;

/** Why it cannot be built here, for a test to skip with; undefined when it can. */
export function providerMissing(): string | undefined {
  if (!existsSync(helper)) return `no ${helper}`;
  if (!existsSync("/usr/bin/gcc")) return "no C compiler (apt-get install -y gcc libc6-dev)";
  return undefined;
}

/** Compiles into `directory`; the environment is for `ssh` and `ssh-keygen`. */
export function buildProvider(directory: string): NodeJS.ProcessEnv {
  const library = join(directory, "security-key.so");
  execFileSync("/usr/bin/gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-o", library, join(here, "provider.c")]);
  return {
    SSH_SK_PROVIDER: library,
    GATEHOUSE_TOKEN: `'${process.execPath}' '${join(here, "token.ts")}'`,
  };
}
