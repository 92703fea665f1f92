import { z } from "zod";
import { section } from "../config/mod.ts";

const described = <S extends z.ZodType>(schema: S, description: string) => schema.describe(description);
const plainHttpHere = /^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:\/|$))/;
const endpoint = z
  .url()
  .regex(plainHttpHere, { error: "expected https://…, or http:// on this machine" })
  .meta({ expected: "https://host" });

const key = (shape: z.ZodString, what: string) => ({
  key: described(
    shape.optional(),
    `${what} that wraps the keys of recordings. Left out: this service is not used for new recordings.`,
  ),
  input_key: described(
    shape.optional(),
    "Another one, for what people typed. Once one is set, here or in `recording.input_recipients`, no `key` opens that.",
  ),
});

export const awsKeysSchema = section(
  {
    ...key(
      z.string().regex(/^[A-Za-z0-9:/_-]{1,2048}$/, { error: "expected a key's ARN, alias/name or id" }),
      "ARN, alias or id of a symmetric key",
    ),
    region: described(z.string().min(1).optional(), "Left out: as the AWS SDK finds it."),
    endpoint: described(endpoint.optional(), "Another address, such as a VPC endpoint."),
  },
  "AWS KMS. Credentials: the AWS SDK's default chain. Rights: `kms:Encrypt`, and `kms:Decrypt` to play.",
);
export type AwsKeysConfig = z.output<typeof awsKeysSchema>;

const gcpName =
  /^projects\/[a-z0-9:.-]{1,63}\/locations\/[a-z0-9-]{1,63}\/keyRings\/[A-Za-z0-9_-]{1,63}\/cryptoKeys\/[A-Za-z0-9_-]{1,63}$/;
export const isGcpKey = (name: string) => gcpName.test(name);
export const gcpKeysSchema = section(
  {
    ...key(
      z.string().regex(gcpName, { error: "expected projects/…/locations/…/keyRings/…/cryptoKeys/…" }),
      "Full name of a symmetric key",
    ),
    endpoint: described(endpoint.optional(), "Another address, such as a private endpoint."),
  },
  "Google Cloud KMS. Credentials: application default credentials. Role: CryptoKey Encrypter, and Decrypter to play.",
);
export type GcpKeysConfig = z.output<typeof gcpKeysSchema>;

export const azureKeysSchema = section(
  key(
    z.string().regex(/^https:\/\/[A-Za-z0-9.-]+(?::\d+)?\/keys\/[A-Za-z0-9-]{1,127}(?:\/[0-9a-f]{32})?$/, {
      error: "expected https://name.vault.azure.net/keys/key",
    }),
    "Address of an RSA key",
  ),
  "Azure Key Vault (RSA-OAEP-256). Credentials: `DefaultAzureCredential`. Rights: `keys/get` and `keys/wrapKey`, and `keys/unwrapKey` to play.",
);
export type AzureKeysConfig = z.output<typeof azureKeysSchema>;

const segment = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
export const vaultKeysSchema = section(
  {
    ...key(
      z.string().regex(segment, { error: "expected a key's name" }),
      "Name of a key of the transit engine",
    ),
    address: described(endpoint.optional(), "Left out: `VAULT_ADDR`."),
    mount: described(
      z.string().regex(segment, { error: "expected a mount's name" }).default("transit"),
      "Where the transit engine is mounted.",
    ),
    namespace: described(z.string().min(1).optional(), "Left out: `VAULT_NAMESPACE`, or none."),
    token_file: described(
      z.string().min(1).optional(),
      "A file with the token, such as an agent's sink, read at each use. Left out: `VAULT_TOKEN`, or `~/.vault-token`.",
    ),
  },
  "HashiCorp Vault or OpenBao, transit engine. Policy: `update` on `transit/encrypt/<key>`, and on `transit/decrypt/<key>` to play.",
);
export type VaultKeysConfig = z.output<typeof vaultKeysSchema>;
