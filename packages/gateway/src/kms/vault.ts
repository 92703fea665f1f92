import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fromUtf8, GatehouseError, utf8 } from "@gatehouse/kernel";
import { z } from "zod";
import type { VaultKeysConfig } from "./config.ts";
import { type KeyFault, type KeyService, codeOfHttp, faultName } from "./key-service.ts";

const attempts = 3;
const answerBytesMax = 64 * 1024;
const answer = z.object({
  data: z.object({ ciphertext: z.string().optional(), plaintext: z.base64().optional() }),
});
const errors = z.object({ errors: z.array(z.string()) });

/** What Vault said, or what kept it from being asked. */
class VaultFault extends Error {
  readonly code: KeyFault["code"];
  readonly again: boolean;
  override readonly name: string;
  constructor(code: KeyFault["code"], name: string, message: string, again = false) {
    super(message);
    this.code = code;
    this.name = name;
    this.again = again;
  }
}

/** developer.hashicorp.com/vault/api-docs/secret/transit. OpenBao answers the same. */
export function openVaultKeys(config: VaultKeysConfig, env: NodeJS.ProcessEnv): KeyService {
  const address = config.address ?? env["VAULT_ADDR"];
  if (address === undefined)
    throw new GatehouseError({
      code: "invalid",
      op: "kms.open",
      message: "nothing says where Vault is",
      hint: "Set kms.vault.address, or VAULT_ADDR.",
    });
  const namespace = config.namespace ?? env["VAULT_NAMESPACE"];
  const prefix = `${config.mount}/`;

  async function token(): Promise<string> {
    const given = config.token_file === undefined ? env["VAULT_TOKEN"] : undefined;
    if (given) return given;
    const file = config.token_file ?? join(homedir(), ".vault-token");
    const text = await readFile(file, "utf8").catch(() => {
      throw new VaultFault(
        "unauthenticated",
        "no token",
        `VAULT_TOKEN is not set and ${file} cannot be read`,
      );
    });
    return text.trim();
  }

  async function once(path: string, body: object, signal: AbortSignal) {
    const response = await fetch(`${(address as string).replace(/\/$/, "")}/v1/${path}`, {
      method: "POST",
      // A redirect would take the token along.
      redirect: "error",
      signal,
      headers: {
        "content-type": "application/json",
        "x-vault-token": await token(),
        "x-vault-request": "true",
        ...(namespace !== undefined && { "x-vault-namespace": namespace }),
      },
      body: JSON.stringify(body),
    });
    const text = await textOf(response);
    if (!response.ok) throw refusal(response.status, text);
    const parsed = answer.safeParse(jsonOf(text));
    if (!parsed.success)
      throw new VaultFault(
        "unavailable",
        "no answer of Vault's",
        "the answer is not one of the transit engine",
      );
    return parsed.data.data;
  }

  async function ask(path: string, body: object, signal: AbortSignal) {
    for (let attempt = 1; ; attempt++)
      try {
        return await once(path, body, signal);
      } catch (error) {
        const again = error instanceof VaultFault ? error.again : !signal.aborted;
        if (!again || attempt === attempts) throw error;
        await pause(100 * 2 ** attempt, undefined, { signal });
      }
  }

  const nameOf = (key: string) => (key.startsWith(prefix) ? key.slice(prefix.length) : key);
  return {
    provider: "vault",
    owns: (key) => key.startsWith(prefix) && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(nameOf(key)),
    async seal(key, secret, signal) {
      const plaintext = Buffer.from(secret).toString("base64");
      const { ciphertext } = await ask(`${prefix}encrypt/${nameOf(key)}`, { plaintext }, signal);
      if (ciphertext === undefined) throw new Error("the answer holds no ciphertext");
      return { key: prefix + nameOf(key), data: utf8(ciphertext) };
    },
    async open(key, data, signal) {
      const { plaintext } = await ask(
        `${prefix}decrypt/${nameOf(key)}`,
        { ciphertext: fromUtf8(data) },
        signal,
      );
      if (plaintext === undefined) throw new Error("the answer holds no plaintext");
      return new Uint8Array(Buffer.from(plaintext, "base64"));
    },
    fault: (error) =>
      error instanceof VaultFault
        ? { code: error.code, name: error.name }
        : { code: "unavailable", name: faultName(error) },
  };
}

function refusal(status: number, text: string): VaultFault {
  const parsed = errors.safeParse(jsonOf(text));
  const said = parsed.success && parsed.data.errors.length > 0 ? parsed.data.errors.join("; ") : "";
  const again = status === 429 || status >= 500;
  const code = (): KeyFault["code"] => {
    if (/invalid token/.test(said)) return "unauthenticated";
    if (status !== 400) return codeOfHttp(status);
    return /key not found/.test(said) ? "not_found" : "corrupt";
  };
  return new VaultFault(code(), `HTTP ${status}`, said, again);
}

async function textOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > answerBytesMax)
      throw new VaultFault("unavailable", "too large", "the answer is too long for one of Vault's");
  }
  return text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
