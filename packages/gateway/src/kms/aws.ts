import type { AwsKeysConfig } from "./config.ts";
import { type KeyFault, type KeyService, faultName } from "./key-service.ts";

/** Stands in CloudTrail, and a key's policy may ask for it (`kms:EncryptionContext:purpose`). */
const EncryptionContext = { purpose: "gatehouse recording" };

const codes: Readonly<Record<string, KeyFault["code"]>> = {
  AccessDeniedException: "denied",
  NotFoundException: "not_found",
  DisabledException: "conflict",
  KMSInvalidStateException: "conflict",
  InvalidKeyUsageException: "conflict",
  InvalidCiphertextException: "corrupt",
  IncorrectKeyException: "corrupt",
  ExpiredTokenException: "unauthenticated",
  UnrecognizedClientException: "unauthenticated",
  InvalidSignatureException: "unauthenticated",
  CredentialsProviderError: "unauthenticated",
};

export async function openAwsKeys(config: AwsKeysConfig): Promise<KeyService> {
  // The SDK is loaded by those who use it.
  const { DecryptCommand, EncryptCommand, KMSClient } = await import("@aws-sdk/client-kms");
  const region = config.region ?? /^arn:[^:]+:kms:([^:]+):/.exec(config.key ?? config.input_key ?? "")?.[1];
  const client = new KMSClient({
    ...(region !== undefined && { region }),
    ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000 },
  });
  return {
    provider: "aws",
    // Whatever it says, the request goes to the configured region's service.
    owns: () => true,
    async seal(key, secret, abortSignal) {
      const { CiphertextBlob, KeyId } = await client.send(
        new EncryptCommand({ KeyId: key, Plaintext: secret, EncryptionContext }),
        { abortSignal },
      );
      if (!CiphertextBlob) throw new Error("the answer holds no ciphertext");
      // The ARN: an alias may stand for another key tomorrow.
      return { key: KeyId ?? key, data: CiphertextBlob };
    },
    async open(key, data, abortSignal) {
      const { Plaintext } = await client.send(
        new DecryptCommand({ KeyId: key, CiphertextBlob: data, EncryptionContext }),
        { abortSignal },
      );
      if (!Plaintext) throw new Error("the answer holds no plaintext");
      return Plaintext;
    },
    fault(error) {
      const name = faultName(error);
      return { code: codes[name] ?? "unavailable", name };
    },
  };
}
