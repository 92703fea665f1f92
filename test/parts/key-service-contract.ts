/**
 * A small server that speaks as much of the encrypt and decrypt calls of AWS KMS, Google Cloud KMS, Azure Key Vault and Vault's
 * transit engine as ours uses, written from their documentation.
 *
 * It is none of them and proves nothing about them: it shows that the vendors' own clients send what the documentation asks
 * for, and that we read the documented answers and refusals. Nothing checks a signature or a token's worth.
 */
import {
  createCipheriv,
  createDecipheriv,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { type IncomingMessage, type RequestListener, type ServerResponse, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

export type KeyServiceContract = {
  endpoint: string;
  /** Each request, as it came. */
  readonly requests: { path: string; headers: IncomingMessage["headers"]; body: Record<string, unknown> }[];
  /** The next so many requests are answered with this instead. */
  refuse(times: number, status: number, body: unknown): void;
  /** After so many more requests whose path holds `path` the next ones get no answer; resolves when the first of these is there. */
  stall(path: string, after: number): Promise<void>;
  close(): Promise<void>;
};

type Answer = { status: number; body: unknown; headers?: Record<string, string> };

const key = randomBytes(32);
/** What a gateway asks a service with to see whether it wraps; when that is, no test knows. */
const probed = Buffer.alloc(50).toString("base64");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const oaep = { oaepHash: "sha256" };
export const azureVersion = "0123456789abcdef0123456789abcdef";

function seal(plain: Buffer, aad: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
function open(sealed: Buffer, aad: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12)).setAAD(Buffer.from(aad));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
}
/** RFC 3720 appendix B.4, bit by bit: what is summed here is short. */
function crc32c(bytes: Buffer): string {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return String((crc ^ 0xffffffff) >>> 0);
}
const from64 = (value: unknown) => Buffer.from(String(value), "base64");

function aws(target: string, body: Record<string, unknown>): Answer {
  const aad = JSON.stringify(body["EncryptionContext"]);
  try {
    return target.endsWith(".Encrypt")
      ? {
          status: 200,
          body: {
            KeyId: "arn:aws:kms:eu-central-1:1:key/rec",
            CiphertextBlob: seal(from64(body["Plaintext"]), aad).toString("base64"),
          },
        }
      : {
          status: 200,
          body: {
            KeyId: body["KeyId"],
            Plaintext: open(from64(body["CiphertextBlob"]), aad).toString("base64"),
          },
        };
  } catch {
    return { status: 400, body: { __type: "InvalidCiphertextException" } };
  }
}

/** cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt. */
function gcp(path: string, body: Record<string, unknown>): Answer {
  const aad = String(body["additionalAuthenticatedData"]);
  const given = from64(body[path.endsWith(":encrypt") ? "plaintext" : "ciphertext"]);
  const claimed = String(body[path.endsWith(":encrypt") ? "plaintextCrc32c" : "ciphertextCrc32c"]);
  if (claimed !== crc32c(given) || String(body["additionalAuthenticatedDataCrc32c"]) !== crc32c(from64(aad)))
    return { status: 400, body: { error: { code: 400, status: "INVALID_ARGUMENT", message: "checksum" } } };
  try {
    if (path.endsWith(":encrypt")) {
      const ciphertext = seal(given, aad);
      return {
        status: 200,
        body: {
          name: `${path.slice(4, -8)}/cryptoKeyVersions/1`,
          ciphertext: ciphertext.toString("base64"),
          ciphertextCrc32c: crc32c(ciphertext),
          verifiedPlaintextCrc32c: true,
        },
      };
    }
    const plaintext = open(given, aad);
    return {
      status: 200,
      body: { plaintext: plaintext.toString("base64"), plaintextCrc32c: crc32c(plaintext) },
    };
  } catch {
    return {
      status: 400,
      body: { error: { code: 400, status: "INVALID_ARGUMENT", message: "Decryption failed" } },
    };
  }
}

/** learn.microsoft.com/rest/api/keyvault/keys; the first request without a token is answered with where to get one. */
function azure(incoming: IncomingMessage, path: string, body: Record<string, unknown>): Answer {
  if (incoming.headers.authorization === undefined)
    return {
      status: 401,
      body: { error: { code: "Unauthorized", message: "no token" } },
      headers: {
        "www-authenticate":
          'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"',
      },
    };
  const kid = `https://${incoming.headers.host}/keys/rec/${azureVersion}`;
  if (incoming.method === "GET") {
    const { n, e } = rsa.publicKey.export({ format: "jwk" });
    return {
      status: 200,
      body: {
        key: { kid, kty: "RSA", key_ops: ["wrapKey", "unwrapKey"], n, e },
        attributes: { enabled: true },
      },
    };
  }
  const given = Buffer.from(String(body["value"]), "base64url");
  const value = path.includes("/unwrapkey")
    ? privateDecrypt({ key: rsa.privateKey, ...oaep }, given)
    : publicEncrypt({ key: rsa.publicKey, ...oaep }, given);
  return { status: 200, body: { kid, value: value.toString("base64url") } };
}

/** developer.hashicorp.com/vault/api-docs/secret/transit. */
function vault(path: string, body: Record<string, unknown>): Answer {
  if (path.includes("/encrypt/"))
    return {
      status: 200,
      body: {
        data: {
          ciphertext: `vault:v1:${seal(from64(body["plaintext"]), "").toString("base64")}`,
          key_version: 1,
        },
      },
    };
  try {
    const sealed = from64(String(body["ciphertext"]).split(":")[2]);
    return { status: 200, body: { data: { plaintext: open(sealed, "").toString("base64") } } };
  } catch {
    return { status: 400, body: { errors: ["cipher: message authentication failed"] } };
  }
}

export async function startKeyServiceContract(tls?: {
  key: string;
  cert: string;
}): Promise<KeyServiceContract> {
  const requests: KeyServiceContract["requests"] = [];
  let stalling: { path: string; after: number; reached: () => void } | undefined;
  let refusing = { times: 0, status: 0, body: {} as unknown };
  const answer = async (incoming: IncomingMessage): Promise<Answer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const path = (incoming.url ?? "").split("?")[0] as string;
    // A token of Google's default chain, exchanged as RFC 8693 has it.
    if (path === "/sts")
      return {
        status: 200,
        body: {
          access_token: "google-token",
          token_type: "Bearer",
          expires_in: 3600,
          issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
        },
      };
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    requests.push({ path, headers: incoming.headers, body });
    const isCounted = stalling && path.includes(stalling.path) && body["plaintext"] !== probed;
    if (isCounted && stalling && stalling.after-- <= 0) {
      stalling.reached();
      return new Promise(() => {});
    }
    if (refusing.times > 0) {
      refusing.times--;
      return refusing;
    }
    const target = incoming.headers["x-amz-target"];
    if (typeof target === "string") return aws(target, body);
    if (path.startsWith("/keys/")) return azure(incoming, path, body);
    return path.startsWith("/v1/projects/") ? gcp(path, body) : vault(path, body);
  };
  const listener: RequestListener = (incoming: IncomingMessage, response: ServerResponse) =>
    void answer(incoming).then(({ status, body, headers }) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body)),
    );
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    requests,
    stall(path, after) {
      const { promise, resolve } = Promise.withResolvers<void>();
      stalling = { path, after, reached: resolve };
      return promise;
    },
    refuse: (times, status, body) => void (refusing = { times, status, body }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
