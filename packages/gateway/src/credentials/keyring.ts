import { createPrivateKey, createPublicKey, generateKeyPairSync, sign as signWith } from "node:crypto";
import { GatehouseError, type Random } from "@gatehouse/kernel";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { type SealingKey, type SealingKeys, sealingKey } from "./envelope.ts";
import { openKeyFolder } from "./key-folder.ts";
import { Secret } from "./secret.ts";

/** The gateway's own keys, each in a file of its own, made at the first start. */
export type Keyring = {
  /** Signs manifests and the heads of chains. */
  readonly manifestSigner: ManifestSigner;
  /** Opens recordings that were sealed to the gateway itself: the identity's text, `AGE-SECRET-KEY-1...`. */
  readonly recordingIdentity: Secret;
  /** `age1...`: whom recordings are sealed to where the configuration names nobody. */
  readonly recordingRecipient: string;
  /** The first seals. Changed in place by what follows. */
  readonly credentialKeys: SealingKeys;
  /** Their file. Throws `conflict` where somebody changed it since the start. */
  readonly credentialKeyFile: {
    /** A new key, first in the file and then here. */
    add(): Promise<void>;
    /** All but the first go, there and here. How many went. */
    keepFirst(): Promise<number>;
  };
  /** 32 bytes, for what the web pages sign. */
  readonly webSecret: Secret;
  /** 32 bytes, for the filters that narrow searches. Without it they are made anew. */
  readonly searchSecret: Secret;
  /**
   * A key that a protocol defines, such as a host key or a certificate authority, as text in the protocol's own format.
   * `make` writes a new one where there is none.
   */
  protocolKey(name: string, make: () => string | Promise<string>): Promise<Secret>;
  /** A key file that the operator put into the folder; `not_found` when it is not there. */
  givenKey(name: string): Promise<Secret>;
};

/** Ed25519 (RFC 8032). */
type ManifestSigner = {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
};

const keyBytes = 32;
/** In `folder`; what a protocol asks for must not be one of them. */
const own = {
  manifest: "manifest.key",
  recordings: "recordings.age",
  credentials: "credentials.key",
  web: "web.key",
  search: "search.key",
};

export async function openKeyring({ folder, random }: { folder: string; random: Random }): Promise<Keyring> {
  const files = await openKeyFolder(folder, { random });
  const fresh = () => `${Buffer.from(random.bytes(keyBytes)).toString("base64")}\n`;
  const manifest = await files.load(own.manifest, () =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
  );
  const recordings = await files.load(own.recordings, async () => `${await generateIdentity()}\n`);
  const credentials = await files.load(own.credentials, fresh);
  const web = await files.load(own.web, fresh);
  const credentialKeys = sealingKeysIn(credentials);
  async function writeKeys(keys: readonly SealingKey[]): Promise<void> {
    if (textOf(sealingKeysIn(await files.read(own.credentials))) !== textOf(credentialKeys))
      throw new GatehouseError({
        code: "conflict",
        op: "keys.write",
        message: `the key file ${own.credentials} is not the one that the gateway started with`,
        hint: "Restart the gateway first.",
      });
    await files.replace(own.credentials, textOf(keys));
  }
  const search = await files.load(own.search, fresh);

  const recordingIdentity = Secret.ofText(recordings.text().trim());
  return {
    manifestSigner: understood(own.manifest, () => signerOf(manifest)),
    recordingIdentity,
    recordingRecipient: await identityToRecipient(recordingIdentity.text()).catch((cause: unknown) => {
      throw notUnderstood(own.recordings, cause);
    }),
    credentialKeys,
    credentialKeyFile: {
      async add() {
        const key = sealingKey(random.bytes(keyBytes));
        await writeKeys([key, ...credentialKeys]);
        credentialKeys.unshift(key);
      },
      async keepFirst() {
        if (credentialKeys.length === 1) return 0;
        await writeKeys([credentialKeys[0]]);
        return credentialKeys.splice(1).length;
      },
    },
    webSecret: new Secret(keyIn(own.web, web.text().trim())),
    searchSecret: new Secret(keyIn(own.search, search.text().trim())),
    protocolKey: (name, make) => files.load(protocolFile(name), make),
    givenKey: (name) => files.read(protocolFile(name)),
  };
}

function signerOf(pem: Secret): ManifestSigner {
  const privateKey = createPrivateKey({ key: Buffer.from(pem.bytes()), format: "pem" });
  if (privateKey.asymmetricKeyType !== "ed25519")
    throw new Error(`it is a key of ${privateKey.asymmetricKeyType}`);
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    publicKey: new Uint8Array(Buffer.from(x as string, "base64url")),
    sign: (message) => new Uint8Array(signWith(null, message, privateKey)),
  };
}

/** A key on each line, base64; the first seals. */
function sealingKeysIn(file: Secret): [SealingKey, ...SealingKey[]] {
  const [first, ...others] = file
    .text()
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => sealingKey(keyIn(own.credentials, line.trim())));
  if (!first) throw notUnderstood(own.credentials);
  return [first, ...others];
}

const textOf = (keys: readonly SealingKey[]) =>
  keys.map(({ key }) => `${Buffer.from(key).toString("base64")}\n`).join("");

function keyIn(file: string, text: string): Uint8Array {
  const key = Buffer.from(text, "base64");
  if (key.length !== keyBytes || key.toString("base64") !== text) throw notUnderstood(file);
  return new Uint8Array(key);
}

function protocolFile(name: string): string {
  if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/.test(name) || Object.values(own).includes(name))
    throw new GatehouseError({
      code: "invalid",
      op: "keys.read",
      message: `${name} is no name of a protocol's key`,
    });
  return name;
}

function understood<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw notUnderstood(file, error);
  }
}

/** Nothing of the file's content goes into the message. */
function notUnderstood(file: string, cause?: unknown): GatehouseError {
  return new GatehouseError({
    code: "corrupt",
    op: "keys.read",
    message: `the key file ${file} holds no key of the expected kind`,
    hint: "Restore it from a backup. What was sealed or signed with it needs the same key.",
    cause,
  });
}
