import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

/** A new bucket with Object Lock, and the SDK's own upload into it, which a bench compares with. */
export async function plainS3(
  endpoint: string,
  bucket: string,
): Promise<(key: string, bytes: Uint8Array) => Promise<void>> {
  const client = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  return async (key, bytes) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  };
}
