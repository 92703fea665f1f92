/**
 * Each vendor's own client against what can be had: OpenBao and local-kms are real programs where they are installed; the rest is a
 * server of our own, whose tests say so in their names. No test here has reached AWS, Google, Azure or HashiCorp's Vault.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { TestClock, isGatehouseError, systemClock, systemRandom } from "@gatehouse/kernel";
import type { KeyWrap } from "@gatehouse/recording";
import {
  azureVersion,
  type KeyServiceContract,
  startKeyServiceContract,
} from "../../../../test/parts/key-service-contract.ts";
import {
  baoToken,
  startBao,
  startLocalKms,
  withoutBao,
  withoutLocalKms,
} from "../../../../test/parts/key-services.ts";
import { makeCertificate } from "../passage/certificate.ts";
import {
  type KeyService,
  awsKeysSchema,
  gcpKeysSchema,
  kmsOpener,
  kmsWrapper,
  openAwsKeys,
  openAzureKeys,
  openGcpKeys,
  openVaultKeys,
  vaultKeysSchema,
} from "./mod.ts";

const folder = mkdtempSync(join(tmpdir(), "gatehouse-kms-test-"));
const secret = systemRandom.bytes(50);
let plain: KeyServiceContract;
let tls: KeyServiceContract;
let certificate: string;

before(async () => {
  plain = await startKeyServiceContract();
  certificate = await makeCertificate({ hosts: ["127.0.0.1"], clock: systemClock, random: systemRandom });
  tls = await startKeyServiceContract({ key: certificate, cert: certificate });
  process.env["AWS_ACCESS_KEY_ID"] = "TESTID";
  process.env["AWS_SECRET_ACCESS_KEY"] = "TESTSECRET";
  writeFileSync(join(folder, "subject"), "subject");
  writeFileSync(
    join(folder, "adc.json"),
    JSON.stringify({
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${plain.endpoint}/sts`,
      credential_source: { file: join(folder, "subject") },
    }),
  );
  process.env["GOOGLE_APPLICATION_CREDENTIALS"] = join(folder, "adc.json");
});
after(async () => {
  await plain.close();
  await tls.close();
  rmSync(folder, { recursive: true, force: true });
});

const gcpKey = "projects/p/locations/l/keyRings/r/cryptoKeys/rec";
const services: Record<
  string,
  { key: () => string; open: () => Promise<KeyService>; contract: () => KeyServiceContract }
> = {
  aws: {
    key: () => "alias/rec",
    open: () => openAwsKeys(awsKeysSchema.parse({ region: "eu-central-1", endpoint: plain.endpoint })),
    contract: () => plain,
  },
  gcp: {
    key: () => gcpKey,
    open: () => openGcpKeys(gcpKeysSchema.parse({ key: gcpKey, endpoint: plain.endpoint })),
    contract: () => plain,
  },
  azure: {
    key: () => `${tls.endpoint}/keys/rec`,
    open: () =>
      openAzureKeys(
        { key: `${tls.endpoint}/keys/rec` },
        {
          credential: {
            getToken: async () => ({ token: "azure-token", expiresOnTimestamp: Date.now() + 3_600_000 }),
          },
          client: { tlsOptions: { ca: certificate }, disableChallengeResourceVerification: true },
        },
      ),
    contract: () => tls,
  },
  vault: {
    key: () => "recordings",
    open: async () =>
      openVaultKeys(vaultKeysSchema.parse({ address: plain.endpoint, namespace: "ns" }), {
        VAULT_TOKEN: "vault-token",
      }),
    contract: () => plain,
  },
};

for (const [provider, { key, open, contract }] of Object.entries(services)) {
  const by = `${provider}'s documented API (our own server, which proves nothing about ${provider} itself)`;

  test(`${by}: what is wrapped opens again, by its own name, once for many readers`, async () => {
    const service = await open();
    const wrap = await kmsWrapper(service, key(), { clock: new TestClock() }).wrap(secret);
    assert.ok(wrap.type === "kms" && wrap.provider === provider);
    assert.ok(!Buffer.from(wrap.data, "base64").includes(Buffer.from(secret)));
    const clock = new TestClock();
    const opener = kmsOpener(service, { clock });
    assert.deepEqual(Buffer.from((await opener.open(wrap)) ?? []), Buffer.from(secret));
    const asked = contract().requests.length;
    await opener.open(wrap);
    assert.equal(contract().requests.length, asked, "it is remembered for a while");
    clock.advance(6 * 60_000);
    await opener.open(wrap);
    assert.ok(contract().requests.length > asked, "and not for ever");
  });

  test(`${by}: a refusal is typed, a short failure is tried again, and no secret is told`, async () => {
    const service = await open();
    const wrapper = kmsWrapper(service, key(), { clock: new TestClock() });
    const wrap = await wrapper.wrap(secret);
    const fails = async (work: Promise<unknown>, ...codes: string[]) => {
      await assert.rejects(work, (error) => {
        assert.ok(isGatehouseError(error), String(error));
        assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
        assert.doesNotMatch(`${error.message} ${JSON.stringify(error.details)}`, /TESTSECRET|-token/);
        return true;
      });
    };
    contract().refuse(1, 503, { error: { code: 503, status: "UNAVAILABLE", message: "busy" } });
    assert.equal((await wrapper.wrap(secret)).type, "kms");
    const isRefused = {
      aws: [400, { __type: "AccessDeniedException" }],
      vault: [403, { errors: ["permission denied"] }],
    };
    const google = [403, { error: { code: 403, status: "PERMISSION_DENIED", message: "no" } }];
    const [status, body] = (isRefused as Record<string, unknown[]>)[provider] ?? google;
    contract().refuse(20, status as number, body);
    await fails(wrapper.wrap(secret), "denied");
    // Who may not decrypt is not whom it is for.
    assert.equal(await kmsOpener(service, { clock: new TestClock() }).open(wrap), undefined);
    contract().refuse(20, 500, {});
    await fails(kmsOpener(service, { clock: new TestClock() }).open(wrap), "unavailable");
    contract().refuse(0, 0, {});
    assert.deepEqual(
      Buffer.from((await kmsOpener(service, { clock: new TestClock() }).open(wrap)) ?? []),
      Buffer.from(secret),
    );
  });
}

test("the requests are those that the documentation asks for (our own server)", () => {
  const sent = (path: RegExp) => plain.requests.filter((one) => path.test(one.path));
  const vault = sent(/^\/v1\/transit\/encrypt\/recordings$/)[0];
  assert.deepEqual(
    [vault?.headers["x-vault-token"], vault?.headers["x-vault-namespace"]],
    ["vault-token", "ns"],
  );
  const google = sent(/:encrypt$/)[0];
  assert.equal(google?.path, `/v1/${gcpKey}:encrypt`);
  assert.equal(google.headers.authorization, "Bearer google-token");
  const amazon = plain.requests.find(({ headers }) => headers["x-amz-target"] === "TrentService.Encrypt");
  assert.match(
    String(amazon?.headers.authorization),
    /^AWS4-HMAC-SHA256 Credential=TESTID\/\d+\/eu-central-1\/kms\//,
  );
  assert.deepEqual(amazon?.body["EncryptionContext"], { purpose: "gatehouse recording" });
  assert.ok(tls.requests.some(({ path }) => path === `/keys/rec/${azureVersion}/unwrapkey`));
  assert.ok(
    tls.requests.every(({ headers }) => [undefined, "Bearer azure-token"].includes(headers.authorization)),
  );
});

test("a recording cannot send a credential to a place of its own, and what does not answer is told as that", async () => {
  const wrap = (provider: string, key: string): KeyWrap => ({ type: "kms", provider, key, data: "AAAA" });
  const before = tls.requests.length + plain.requests.length;
  for (const [provider, key] of [
    ["azure", "https://evil.example/keys/rec/0"],
    ["gcp", "projects/../../x"],
    ["vault", "transit/../sys"],
    ["vault", "other/recordings"],
  ] as const) {
    const service = await services[provider]?.open();
    assert.ok(service);
    assert.equal(
      await kmsOpener(service, { clock: new TestClock() }).open(wrap(provider, key)),
      undefined,
      key,
    );
  }
  assert.equal(tls.requests.length + plain.requests.length, before);
  const nobody = openVaultKeys(vaultKeysSchema.parse({ address: "http://127.0.0.1:1" }), {
    VAULT_TOKEN: "t",
  });
  await assert.rejects(kmsWrapper(nobody, "recordings", { clock: new TestClock() }).wrap(secret), {
    code: "unavailable",
  });
  const noToken = openVaultKeys(
    vaultKeysSchema.parse({ address: plain.endpoint, token_file: join(folder, "none") }),
    {},
  );
  await assert.rejects(kmsWrapper(noToken, "recordings", { clock: new TestClock() }).wrap(secret), {
    code: "unauthenticated",
  });
});

const optional = (skip: string | undefined) => (skip === undefined ? {} : { skip });

test(
  "OpenBao: what its transit engine wraps opens again, also after a rotation; its refusals are typed",
  optional(withoutBao),
  async () => {
    const bao = await startBao();
    try {
      const config = vaultKeysSchema.parse({ address: bao.endpoint });
      const service = openVaultKeys(config, { VAULT_TOKEN: baoToken });
      const wrap = await kmsWrapper(service, "recordings", { clock: new TestClock() }).wrap(secret);
      await fetch(`${bao.endpoint}/v1/transit/keys/recordings/rotate`, {
        method: "POST",
        headers: { "x-vault-token": baoToken },
      });
      const opened = await kmsOpener(service, { clock: new TestClock() }).open(wrap);
      assert.deepEqual(Buffer.from(opened ?? []), Buffer.from(secret));
      assert.ok(wrap.type === "kms");
      const altered = Buffer.from(wrap.data, "base64");
      altered[20] = (altered[20] as number) === 0x41 ? 0x42 : 0x41;
      const broken = { ...wrap, data: altered.toString("base64") };
      await assert.rejects(kmsOpener(service, { clock: new TestClock() }).open(broken), { code: "corrupt" });
      const stranger = openVaultKeys(config, { VAULT_TOKEN: "nobody" });
      await assert.rejects(
        kmsWrapper(stranger, "recordings", { clock: new TestClock() }).wrap(secret),
        (error) => isGatehouseError(error) && ["denied", "unauthenticated"].includes(error.code),
      );
    } finally {
      await bao.close();
    }
  },
);

test(
  "local-kms, which is not Amazon's: what AWS's client wraps opens again; an unknown key is told",
  optional(withoutLocalKms),
  async () => {
    const kms = await startLocalKms();
    try {
      const { endpoint } = kms;
      const client = new KMSClient({ endpoint, region: "eu-west-2" });
      const made = await client.send(new CreateKeyCommand({}));
      const key = made.KeyMetadata?.Arn ?? "";
      const service = await openAwsKeys(awsKeysSchema.parse({ key, endpoint }));
      const wrap = await kmsWrapper(service, made.KeyMetadata?.KeyId ?? "", { clock: new TestClock() }).wrap(
        secret,
      );
      assert.ok(wrap.type === "kms" && wrap.key === key, "the full name is kept");
      const opened = await kmsOpener(service, { clock: new TestClock() }).open(wrap);
      assert.deepEqual(Buffer.from(opened ?? []), Buffer.from(secret));
      await assert.rejects(kmsWrapper(service, "alias/none", { clock: new TestClock() }).wrap(secret), {
        code: "not_found",
      });
      const altered = Buffer.from(wrap.data, "base64");
      altered[altered.length - 1] = (altered.at(-1) as number) ^ 1;
      const broken = { ...wrap, data: altered.toString("base64") };
      await assert.rejects(kmsOpener(service, { clock: new TestClock() }).open(broken), { code: "corrupt" });
    } finally {
      await kms.close();
    }
  },
);
