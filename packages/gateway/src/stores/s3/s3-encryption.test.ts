/** What is asked of S3 about encryption, on the wire. The server is ours and proves nothing about Amazon: Ceph's has no keys of its own. */
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { systemClock } from "@gatehouse/kernel";
import { s3StoreSchema } from "./config.ts";
import { createS3Service } from "./s3-service.ts";

let puts: IncomingHttpHeaders[] = [];
/** Whether it says that it did what was asked, and what the bucket does by default. */
let obeys = true;
let rule = "";
const server = createServer((request, response) => {
  request.resume().once("end", () => {
    const sse = request.headers["x-amz-server-side-encryption"];
    if (request.method === "PUT") {
      puts.push(request.headers);
      if (obeys && sse !== undefined) response.setHeader("x-amz-server-side-encryption", sse);
      response.end();
    } else if (request.url?.includes("encryption") && rule !== "")
      response.end(
        `<ServerSideEncryptionConfiguration><Rule>${rule}</Rule></ServerSideEncryptionConfiguration>`,
      );
    else response.writeHead(404).end("<Error><Code>NoSuchThing</Code></Error>");
  });
});
before(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
after(() => server.close());

async function ask(more: Record<string, unknown>): Promise<{ sent: IncomingHttpHeaders; said: string }> {
  const { port } = server.address() as AddressInfo;
  const config = s3StoreSchema.parse({
    type: "s3",
    bucket: "recordings",
    endpoint: `http://127.0.0.1:${port}`,
    force_path_style: true,
    ...more,
  });
  const service = createS3Service(config, systemClock);
  puts = [];
  await service.put("a/000000.seg", Buffer.from("x"), { retainUntilMs: 0, onlyNew: true });
  const [sent] = puts as [IncomingHttpHeaders];
  const findings = await service.inspect(".probe/");
  for (const headers of puts)
    assert.equal(headers["x-amz-server-side-encryption"], sent["x-amz-server-side-encryption"]);
  const { level, message } = findings.at(-1) ?? {};
  return { sent, said: `${level}: ${message}` };
}
const header = (name: string, headers: IncomingHttpHeaders) => headers[`x-amz-server-side-encryption${name}`];

test("each object asks S3 for what is configured, and the check says what the server does with it", async () => {
  obeys = true;
  rule = "";
  const bucket = await ask({});
  assert.equal(header("", bucket.sent), undefined);
  assert.equal(bucket.said, "ok: the bucket encrypts nothing by default");

  const own = await ask({ encryption: "sse-s3" });
  assert.equal(header("", own.sent), "AES256");
  assert.match(own.said, /^ok: .*each object asks for AES256, and gets it$/);

  rule =
    "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:k</KMSMasterKeyID></ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled>";
  const kms = await ask({ encryption: "sse-kms", kms_key_id: "arn:aws:kms:r:1:key/k", kms_bucket_key: true });
  assert.equal(header("", kms.sent), "aws:kms");
  assert.equal(header("-aws-kms-key-id", kms.sent), "arn:aws:kms:r:1:key/k");
  assert.equal(header("-bucket-key-enabled", kms.sent), "true");
  assert.equal(
    kms.said,
    "ok: the bucket encrypts by default with aws:kms and the key arn:k, with a bucket key; each object asks for aws:kms, and gets it",
  );
  const account = await ask({ encryption: "sse-kms" });
  assert.equal(header("-aws-kms-key-id", account.sent), undefined);
  assert.equal(header("-bucket-key-enabled", account.sent), undefined);

  obeys = false;
  const deaf = await ask({ encryption: "sse-kms" });
  assert.equal(
    deaf.said,
    "warning: each object asks for aws:kms, and the server says that it encrypts nothing",
  );
});
