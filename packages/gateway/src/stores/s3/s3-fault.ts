import { messageOf } from "@gatehouse/kernel";
import type { ServiceFault } from "../object-service.ts";
import { codeOfStatus, networkName } from "../service-fault.ts";

/** S3's error codes: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. */
export function s3Fault(error: unknown): ServiceFault {
  const { name = "Error", $metadata } = error as {
    name?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const status = $metadata?.httpStatusCode;
  const fault = (code: ServiceFault["code"], hint?: string): ServiceFault => ({
    code,
    // A HEAD has no body and so no name but the SDK's placeholder.
    name: networkName(error) ?? (name === "UnknownError" || name === "Unknown" ? "refused" : name),
    status,
    message: messageOf(error) === "UnknownError" ? "" : messageOf(error),
    hint,
  });
  switch (name) {
    case "NoSuchKey":
    case "NoSuchVersion":
      return fault("not_found");
    case "PreconditionFailed":
      return fault("conflict");
    case "NoSuchBucket":
      return fault("unavailable", "Create the bucket, with Object Lock, or correct `store.bucket`.");
    case "CredentialsProviderError":
      return fault(
        "denied",
        "No credentials were found: see the AWS SDK's default chain (environment, shared files, container or instance role).",
      );
    case "ExpiredToken":
    case "InvalidAccessKeyId":
    case "SignatureDoesNotMatch":
      return fault("denied", "The credentials that the AWS SDK found are not valid any more, or not here.");
    case "InvalidRequest":
    case "ObjectLockConfigurationNotFoundError":
      // Ceph answers a lock that the bucket cannot keep with this name and no word more.
      return fault(
        "unavailable",
        "Where the bucket has no Object Lock: create one that has, or set `store.object_lock: false`.",
      );
    default:
      return fault(codeOfStatus(status));
  }
}
