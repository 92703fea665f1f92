import type { TokenCredential } from "@azure/identity";
import type { CryptographyClient, CryptographyClientOptions } from "@azure/keyvault-keys";
import type { AzureKeysConfig } from "./config.ts";
import { type KeyFault, type KeyService, codeOfHttp, faultName } from "./key-service.ts";

const algorithm = "RSA-OAEP-256";
/** One client for each version of a key that is in use. */
const clientsMax = 32;

const credentialFaults = new Set([
  "AggregateAuthenticationError",
  "CredentialUnavailableError",
  "AuthenticationError",
]);

/** `test` replaces the default credentials and trusts a server's certificate. */
export async function openAzureKeys(
  config: AzureKeysConfig,
  test: { credential?: TokenCredential; client?: CryptographyClientOptions } = {},
): Promise<KeyService> {
  const { CryptographyClient: Client } = await import("@azure/keyvault-keys");
  const { DefaultAzureCredential } = await import("@azure/identity");
  const credential = test.credential ?? new DefaultAzureCredential();
  const vaults = [config.key, config.input_key].flatMap((key) =>
    key === undefined ? [] : [`${new URL(key).origin}/keys/`],
  );
  const clients = new Map<string, CryptographyClient>();
  const clientOf = (key: string) => {
    let client = clients.get(key);
    if (!client) {
      client = new Client(key, credential, {
        retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 },
        ...test.client,
      });
      const oldest = clients.keys().next();
      if (clients.size >= clientsMax && !oldest.done) clients.delete(oldest.value);
      clients.set(key, client);
    }
    return client;
  };
  return {
    provider: "azure",
    // A token must not go to an address that a recording names.
    owns: (key) => vaults.some((vault) => key.startsWith(vault)),
    async seal(key, secret, abortSignal) {
      const { result, keyID } = await clientOf(key).wrapKey(algorithm, secret, { abortSignal });
      // With its version: after a rotation the old one still opens what it sealed.
      return { key: keyID ?? key, data: result };
    },
    async open(key, data, abortSignal) {
      const { result } = await clientOf(key).unwrapKey(algorithm, data, { abortSignal });
      return result;
    },
    fault(error) {
      const { statusCode, code } = error as { statusCode?: number; code?: unknown };
      const name = typeof code === "string" ? code : faultName(error);
      const is = (): KeyFault["code"] => {
        if (error instanceof Error && credentialFaults.has(error.name)) return "unauthenticated";
        return statusCode === 400 ? "corrupt" : codeOfHttp(statusCode);
      };
      return { code: is(), name };
    },
  };
}
