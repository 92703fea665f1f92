import { createHash } from "node:crypto";
import {
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type ListObjectVersionsCommandOutput,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Clock } from "@gatehouse/kernel";
import type { ObjectFacts, ObjectService, ObjectVersion, StoreFinding } from "../object-service.ts";
import { ServiceClock } from "../service-clock.ts";
import type { S3StoreConfig } from "./config.ts";
import { s3Fault } from "./s3-fault.ts";

const connectionTimeoutMs = 5_000;
const requestTimeoutMs = 60_000;
/** Object metadata: the end of the retention, for buckets without a lock. */
const retainUntil = "gatehouse-retain-until";
/** What servers without versions call the only one (S3 does so too while versioning is off). */
const nullVersion = "null";

export function createS3Service(config: S3StoreConfig, clock: Clock): ObjectService {
  return new S3Service(config, clock);
}

class S3Service implements ObjectService {
  readonly location: string;
  readonly asksRetention: boolean;
  readonly #config: S3StoreConfig;
  readonly #clock: ServiceClock;
  readonly #client: S3Client;
  /** Whether the server refuses bytes that do not match their SHA-256: only then is the one it shows worth anything. */
  #verifiesSha256: boolean | undefined;
  #listsVersions = true;
  /** What the server said of the last object that it took. */
  #encryptedBy: string | undefined;

  constructor(config: S3StoreConfig, clock: Clock) {
    this.#config = config;
    this.#clock = new ServiceClock(clock);
    this.asksRetention = config.object_lock;
    const host = config.endpoint === undefined ? "" : ` at ${new URL(config.endpoint).host}`;
    this.location = `s3://${config.bucket}/${config.prefix}${host}`;
    this.#client = new S3Client({
      region: config.region,
      ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
      forcePathStyle: config.force_path_style,
      // Each object carries its SHA-256; the SDK's own default would add a trailer that older servers do not read.
      requestChecksumCalculation: "WHEN_REQUIRED",
      requestHandler: { connectionTimeout: connectionTimeoutMs, requestTimeout: requestTimeoutMs },
    });
    const noted = (response: unknown) =>
      this.#clock.note((response as { headers?: Record<string, string> } | undefined)?.headers?.["date"]);
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const output = await next(args);
        noted(output.response);
        return output;
      },
      { name: "gatehouseClock", step: "deserialize", priority: "low" },
    );
  }

  /**
   * One request, never parts: objects are a few mebibytes at most, and Ceph's gateway ignores the lock that is asked for
   * when an upload in parts begins, so that the object could be removed.
   */
  async put(
    key: string,
    bytes: Uint8Array,
    options: { retainUntilMs: number; onlyNew: boolean },
  ): Promise<{ id: string | undefined }> {
    const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest("base64");
    const { VersionId, ServerSideEncryption } = await this.#client.send(
      new PutObjectCommand({
        ...this.#at(key),
        // A view: the bytes are sent before the promise settles.
        Body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        ContentLength: bytes.length,
        // Older servers check only this one, and Amazon requires it or another for an object with a lock.
        ContentMD5: digest("md5"),
        ChecksumSHA256: digest("sha256"),
        ...this.#written(options.retainUntilMs),
        ...(options.onlyNew && { IfNoneMatch: "*" }),
      }),
    );
    this.#encryptedBy = ServerSideEncryption;
    return { id: versionId(VersionId) };
  }

  async versions(key: string): Promise<{ versions: ObjectVersion[]; markers: string[] }> {
    if (!this.#listsVersions) return this.#withoutVersions(key);
    const path = this.#config.prefix + key;
    const versions: ObjectVersion[] = [];
    const markers: string[] = [];
    // S3 lists the newest version of a key first.
    for await (const page of this.#versionPages(path)) {
      if (!page) return this.#withoutVersions(key);
      for (const found of page.Versions ?? [])
        if (found.Key === path)
          versions.unshift({ id: versionId(found.VersionId), bytes: found.Size ?? 0, tag: found.ETag });
      for (const found of page.DeleteMarkers ?? [])
        if (found.Key === path) markers.push(found.VersionId ?? nullVersion);
      if (page.NextKeyMarker !== path) break;
    }
    return { versions, markers };
  }

  async get(
    key: string,
    version: ObjectVersion,
    range?: { start: number; end: number },
  ): Promise<Uint8Array> {
    const { Body } = await this.#client.send(
      new GetObjectCommand({
        ...this.#at(key, version.id),
        ...(range && { Range: `bytes=${range.start}-${range.end - 1}` }),
      }),
    );
    return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
  }

  async facts(key: string, version: ObjectVersion): Promise<ObjectFacts> {
    const head = await this.#client.send(
      new HeadObjectCommand({ ...this.#at(key, version.id), ChecksumMode: "ENABLED" }),
    );
    const noted = Number(head.Metadata?.[retainUntil] ?? 0);
    const trusted = this.#verifiesSha256 && head.ChecksumSHA256 !== undefined;
    return {
      retainUntilMs: Number.isFinite(noted) ? noted : 0,
      // Whoever has the right to can lift a lock in mode GOVERNANCE.
      lockedUntilMs:
        head.ObjectLockMode === "COMPLIANCE" ? (head.ObjectLockRetainUntilDate?.getTime() ?? 0) : 0,
      held: head.ObjectLockLegalHoldStatus === "ON",
      ...(trusted && { sha256: Buffer.from(head.ChecksumSHA256 as string, "base64").toString("hex") }),
    };
  }

  async *keys(prefix: string, after: string | undefined): AsyncIterable<string> {
    const own = this.#config.prefix;
    if (this.#listsVersions) {
      let last: string | undefined;
      for await (const page of this.#versionPages(
        own + prefix,
        after === undefined ? undefined : own + after,
      )) {
        if (!page) break;
        // Versions under a marker too: what somebody marked as removed is there.
        for (const { Key } of page.Versions ?? [])
          if (Key !== undefined && Key !== last) yield (last = Key).slice(own.length);
      }
      if (this.#listsVersions) return;
    }
    let next: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#config.bucket,
          Prefix: own + prefix,
          ...(next !== undefined
            ? { ContinuationToken: next }
            : after !== undefined && { StartAfter: own + after }),
        }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key.slice(own.length);
      next = page.NextContinuationToken;
    } while (next !== undefined);
  }

  async remove(key: string, id: string | undefined): Promise<void> {
    // Without a version's id S3 would only add a marker, where it keeps versions; "null" removes the bytes in both cases.
    await this.#client.send(
      new DeleteObjectCommand(this.#at(key, this.#listsVersions ? (id ?? nullVersion) : id)),
    );
  }

  async hold(key: string, version: ObjectVersion, held: boolean): Promise<boolean> {
    if (!this.#config.object_lock) return false;
    await this.#client.send(
      new PutObjectLegalHoldCommand({
        ...this.#at(key, version.id),
        LegalHold: { Status: held ? "ON" : "OFF" },
      }),
    );
    return true;
  }

  async inspect(scratch: string): Promise<StoreFinding[]> {
    this.#verifiesSha256 ??= await this.#refusesWrongSha256(`${scratch}sha256`);
    return [
      this.#verifiesSha256
        ? {
            level: "ok",
            message: "the server verifies SHA-256 when it stores, so stored objects need not be read again",
          }
        : {
            level: "ok",
            message:
              "the server does not verify SHA-256 when it stores, so every stored object is read back once",
          },
      await this.#inspectVersioning(),
      await this.#inspectLock(),
      await this.#inspectEncryption(),
    ];
  }

  get givesSha256(): boolean {
    return this.#verifiesSha256 === true;
  }

  clockAheadMs(): number | undefined {
    return this.#clock.aheadMs;
  }

  fault(error: unknown) {
    return s3Fault(error);
  }

  #at(key: string, id?: string) {
    return {
      Bucket: this.#config.bucket,
      Key: this.#config.prefix + key,
      ...(id !== undefined && { VersionId: id }),
    };
  }

  #written(retainUntilMs: number) {
    const { object_lock, encryption, kms_key_id, kms_bucket_key } = this.#config;
    const locks = object_lock && retainUntilMs > this.#clock.nowMs();
    return {
      ContentType: "application/octet-stream",
      Metadata: { [retainUntil]: String(retainUntilMs) },
      ...(locks && {
        ObjectLockMode: "COMPLIANCE" as const,
        // S3 keeps whole seconds; never sooner than asked.
        ObjectLockRetainUntilDate: new Date(Math.ceil(retainUntilMs / 1000) * 1000),
      }),
      ...(encryption === "sse-s3" && { ServerSideEncryption: "AES256" as const }),
      ...(encryption === "sse-kms" && {
        ServerSideEncryption: "aws:kms" as const,
        ...(kms_key_id !== undefined && { SSEKMSKeyId: kms_key_id }),
        ...(kms_bucket_key !== undefined && { BucketKeyEnabled: kms_bucket_key }),
      }),
    };
  }

  /** Pages of versions, or undefined from a server that does not know the request. */
  async *#versionPages(
    prefix: string,
    after?: string,
  ): AsyncGenerator<ListObjectVersionsCommandOutput | undefined> {
    let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } =
      after === undefined ? {} : { KeyMarker: after };
    for (;;) {
      let page: ListObjectVersionsCommandOutput;
      try {
        page = await this.#client.send(
          new ListObjectVersionsCommand({ Bucket: this.#config.bucket, Prefix: prefix, ...from }),
        );
      } catch (error) {
        const { name, status } = s3Fault(error);
        if (name !== "NotImplemented" && status !== 501) throw error;
        this.#listsVersions = false;
        yield undefined;
        return;
      }
      yield page;
      if (!page.IsTruncated) return;
      from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
  }

  async #withoutVersions(key: string): Promise<{ versions: ObjectVersion[]; markers: string[] }> {
    try {
      const head = await this.#client.send(new HeadObjectCommand(this.#at(key)));
      return { versions: [{ id: undefined, bytes: head.ContentLength ?? 0, tag: head.ETag }], markers: [] };
    } catch (error) {
      if (s3Fault(error).code !== "not_found") throw error;
      return { versions: [], markers: [] };
    }
  }

  /** Sends one byte with the SHA-256 of another, and takes it away again where it was stored. */
  async #refusesWrongSha256(key: string): Promise<boolean> {
    const wrong = createHash("sha256").update("another").digest("base64");
    try {
      const { VersionId } = await this.#client.send(
        new PutObjectCommand({
          ...this.#at(key),
          Body: Buffer.from("x"),
          ChecksumSHA256: wrong,
          ...this.#written(0),
        }),
      );
      await this.remove(key, versionId(VersionId)).catch(() => {});
      return false;
    } catch (error) {
      const { status, name } = s3Fault(error);
      if (status === 400 && /digest|checksum/i.test(`${name} ${(error as Error).message}`)) return true;
      throw error;
    }
  }

  async #inspectVersioning(): Promise<StoreFinding> {
    try {
      const { Status } = await this.#client.send(
        new GetBucketVersioningCommand({ Bucket: this.#config.bucket }),
      );
      if (Status === "Enabled") return { level: "ok", message: "the bucket keeps versions" };
      return {
        level: "warning",
        message: `the bucket does not keep versions (${Status === undefined ? "never switched on" : "suspended"})`,
        hint: "Switch on versioning: it cannot be undone by an overwrite then.",
      };
    } catch (error) {
      return unread("whether the bucket keeps versions", "s3:GetBucketVersioning", error);
    }
  }

  async #inspectLock(): Promise<StoreFinding> {
    const hint = "Create a bucket with Object Lock; it can be switched on later too, on Amazon S3.";
    try {
      const { ObjectLockConfiguration: lock } = await this.#client.send(
        new GetObjectLockConfigurationCommand({ Bucket: this.#config.bucket }),
      );
      if (lock?.ObjectLockEnabled !== "Enabled")
        return { level: "warning", message: "the bucket has no Object Lock", hint };
      if (!this.#config.object_lock)
        return {
          level: "warning",
          message: "the bucket has Object Lock, and the configuration does not use it",
          hint: "Leave out `store.object_lock: false`.",
        };
      const rule = lock.Rule?.DefaultRetention;
      return {
        level: "ok",
        message: rule
          ? `the bucket has Object Lock, with a default of ${rule.Years ?? rule.Days} ${rule.Years ? "years" : "days"} in mode ${rule.Mode}; each recording brings its own date`
          : "the bucket has Object Lock; each recording brings its own date, in mode COMPLIANCE",
      };
    } catch (error) {
      const { status } = s3Fault(error);
      if (status === 404 || status === 501)
        return { level: "warning", message: "the bucket has no Object Lock", hint };
      return unread("whether the bucket has Object Lock", "s3:GetBucketObjectLockConfiguration", error);
    }
  }

  /** Recordings are encrypted before they get here, so what S3 adds is never more than a warning. */
  async #inspectEncryption(): Promise<StoreFinding> {
    const { encryption } = this.#config;
    const asked = { bucket: undefined, "sse-s3": "AES256", "sse-kms": "aws:kms" }[encryption];
    if (asked !== undefined && this.#encryptedBy !== asked)
      return {
        level: "warning",
        message: `each object asks for ${asked}, and the server says that it encrypts ${this.#encryptedBy === undefined ? "nothing" : `with ${this.#encryptedBy}`}`,
        hint: "Leave out `store.encryption` where the server knows none; recordings are encrypted by Gatehouse in any case.",
      };
    try {
      const { ServerSideEncryptionConfiguration: found } = await this.#client.send(
        new GetBucketEncryptionCommand({ Bucket: this.#config.bucket }),
      );
      const rule = found?.Rules?.[0];
      const by = rule?.ApplyServerSideEncryptionByDefault;
      const of = by?.KMSMasterKeyID === undefined ? "" : ` and the key ${by.KMSMasterKeyID}`;
      const bucketKey = rule?.BucketKeyEnabled ? ", with a bucket key" : "";
      const bucket = by
        ? `the bucket encrypts by default with ${by.SSEAlgorithm}${of}${bucketKey}`
        : "the bucket encrypts nothing by default";
      return {
        level: "ok",
        message: asked === undefined ? bucket : `${bucket}; each object asks for ${asked}, and gets it`,
      };
    } catch (error) {
      const { status } = s3Fault(error);
      if (status !== 404 && status !== 501)
        return unread("whether the bucket encrypts by default", "s3:GetEncryptionConfiguration", error);
      return {
        level: "ok",
        message: `the bucket encrypts nothing by default${asked === undefined ? "" : `; each object asks for ${asked}, and gets it`}`,
      };
    }
  }
}

function versionId(id: string | undefined): string | undefined {
  return id === nullVersion || id === "" ? undefined : id;
}

function unread(what: string, permission: string, error: unknown): StoreFinding {
  return {
    level: "warning",
    message: `it could not be read ${what} (${s3Fault(error).name})`,
    hint: `Allow ${permission}, which only reads.`,
  };
}
