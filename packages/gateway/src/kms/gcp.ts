import { utf8 } from "@gatehouse/kernel";
import { type GcpKeysConfig, isGcpKey } from "./config.ts";
import { type KeyFault, type KeyService, faultName } from "./key-service.ts";

const aad = utf8("gatehouse recording");

/** google.rpc.Code. */
const codes: Readonly<Record<number, KeyFault["code"]>> = {
  3: "corrupt",
  5: "not_found",
  7: "denied",
  9: "conflict",
  16: "unauthenticated",
};

/** Over HTTP, so that no gRPC stack is loaded for two calls. Checksums both ways, as Google's documentation asks for. */
export async function openGcpKeys(config: GcpKeysConfig): Promise<KeyService> {
  const { KeyManagementServiceClient } = await import("@google-cloud/kms");
  const { CRC32C } = await import("@google-cloud/storage");
  const crc32c = (bytes: Uint8Array) => {
    const crc = new CRC32C();
    crc.update(Buffer.from(bytes));
    return Buffer.from(crc.toString(), "base64").readUInt32BE();
  };
  const endpoint = config.endpoint === undefined ? undefined : new URL(config.endpoint);
  const project = (config.key ?? config.input_key)?.split("/")[1];
  const client = new KeyManagementServiceClient({
    fallback: true,
    // Named by the key: the client would look it up otherwise.
    ...(project !== undefined && { projectId: project }),
    ...(endpoint && {
      apiEndpoint: endpoint.hostname,
      port: Number(endpoint.port === "" ? 443 : endpoint.port),
      protocol: endpoint.protocol.slice(0, -1),
    }),
  });
  const call = { timeout: 4_000, maxRetries: 2 };
  const additional = {
    additionalAuthenticatedData: aad,
    additionalAuthenticatedDataCrc32c: { value: crc32c(aad) },
  };
  const damaged = () => new Error("the checksums of the answer do not fit");
  return {
    provider: "gcp",
    owns: isGcpKey,
    async seal(name, secret) {
      const [answer] = await client.encrypt(
        { name, plaintext: secret, plaintextCrc32c: { value: crc32c(secret) }, ...additional },
        call,
      );
      const data = bytesOf(answer.ciphertext);
      if (!answer.verifiedPlaintextCrc32c || crc32c(data) !== Number(answer.ciphertextCrc32c?.value))
        throw damaged();
      return { key: name, data };
    },
    async open(name, data) {
      const [answer] = await client.decrypt(
        { name, ciphertext: data, ciphertextCrc32c: { value: crc32c(data) }, ...additional },
        call,
      );
      const plain = bytesOf(answer.plaintext);
      if (crc32c(plain) !== Number(answer.plaintextCrc32c?.value)) throw damaged();
      return plain;
    },
    fault(error) {
      const { code } = error as { code?: unknown };
      const noCredentials = error instanceof Error && /default credentials/.test(error.message);
      const known = typeof code === "number" ? codes[code] : undefined;
      return {
        code: noCredentials ? "unauthenticated" : (known ?? "unavailable"),
        name: typeof code === "number" ? `code ${code}` : faultName(error),
      };
    },
  };
}

function bytesOf(value: Uint8Array | string | null | undefined): Uint8Array {
  if (value === null || value === undefined) return new Uint8Array();
  return typeof value === "string" ? new Uint8Array(Buffer.from(value, "base64")) : value;
}
