import { type Bucket, CRC32C, type FileMetadata, IdempotencyStrategy, Storage } from "@google-cloud/storage";
import type { Clock } from "@gatehouse/kernel";
import type { ObjectFacts, ObjectService, ObjectVersion, StoreFinding } from "../object-service.ts";
import { ServiceClock } from "../service-clock.ts";
import type { GcsStoreConfig } from "./config.ts";
import { gcsFault } from "./gcs-fault.ts";

const totalTimeoutSeconds = 60;
/** Object metadata: the end of the retention, for buckets that do not keep it. */
const retainUntil = "gatehouse-retain-until";

export function createGcsService(config: GcsStoreConfig, clock: Clock): ObjectService {
  return new GcsService(config, clock);
}

class GcsService implements ObjectService {
  readonly location: string;
  readonly asksRetention: boolean;
  readonly #config: GcsStoreConfig;
  readonly #clock: ServiceClock;
  readonly #bucket: Bucket;
  #verifiesCrc32c: boolean | undefined;

  constructor(config: GcsStoreConfig, clock: Clock) {
    this.#config = config;
    this.#clock = new ServiceClock(clock);
    this.asksRetention = config.retention === "object";
    const host = config.endpoint === undefined ? "" : ` at ${new URL(config.endpoint).host}`;
    this.location = `gs://${config.bucket}/${config.prefix}${host}`;
    const storage = new Storage({
      ...(config.endpoint !== undefined && { apiEndpoint: config.endpoint, projectId: "none" }),
      retryOptions: {
        maxRetries: 1,
        totalTimeout: totalTimeoutSeconds,
        maxRetryDelay: 2,
        idempotencyStrategy: IdempotencyStrategy.RetryConditional,
      },
    });
    this.#bucket = storage.bucket(config.bucket);
  }

  /** One request that is not resumable: objects are a few mebibytes at most, and a session of uploads would be state. */
  async put(
    key: string,
    bytes: Uint8Array,
    options: { retainUntilMs: number; onlyNew: boolean },
  ): Promise<{ id: string | undefined }> {
    const { retainUntilMs } = options;
    const keeps = this.asksRetention && retainUntilMs > this.#clock.nowMs();
    return this.#put(key, bytes, crc32c(bytes), {
      ...(options.onlyNew && { onlyNew: true }),
      metadata: {
        metadata: { [retainUntil]: String(retainUntilMs) },
        ...(keeps && {
          retention: { mode: "Locked", retainUntilTime: new Date(retainUntilMs).toISOString() },
        }),
      },
    });
  }

  async versions(key: string): Promise<{ versions: ObjectVersion[]; markers: string[] }> {
    const name = this.#config.prefix + key;
    const versions: { order: bigint; version: ObjectVersion }[] = [];
    for await (const { metadata, name: found } of this.#files(name, undefined)) {
      if (found !== name) break;
      const { generation, crc32c: tag } = metadata;
      const id = generation === undefined ? undefined : String(generation);
      versions.push({
        order: BigInt(generation ?? 0),
        version: { id, bytes: Number(metadata.size ?? 0), tag },
      });
    }
    versions.sort((a, b) => (a.order < b.order ? -1 : 1));
    return { versions: versions.map(({ version }) => version), markers: [] };
  }

  async get(
    key: string,
    version: ObjectVersion,
    range?: { start: number; end: number },
  ): Promise<Uint8Array> {
    const [bytes] = await this.#file(key, version.id).download({
      decompress: false,
      // The service's CRC32C is of the whole.
      validation: range ? false : "crc32c",
      ...(range && { start: range.start, end: range.end - 1 }),
    });
    return bytes;
  }

  async facts(key: string, version: ObjectVersion): Promise<ObjectFacts> {
    const [metadata] = await this.#file(key, version.id).getMetadata();
    const noted = Number(metadata.metadata?.[retainUntil] ?? 0);
    const date = (text: string | undefined) => (text === undefined ? 0 : Date.parse(text) || 0);
    const { retention } = metadata;
    // An object's retention that is not locked can be lifted.
    const own = retention?.mode === "Locked" ? date(retention.retainUntilTime) : 0;
    return {
      retainUntilMs: Number.isFinite(noted) ? noted : 0,
      held: metadata.temporaryHold === true || metadata.eventBasedHold === true,
      lockedUntilMs: Math.max(own, date(metadata.retentionExpirationTime)),
    };
  }

  async *keys(prefix: string, after: string | undefined): AsyncIterable<string> {
    const own = this.#config.prefix;
    let last = "";
    for await (const { name } of this.#files(own + prefix, after === undefined ? undefined : own + after)) {
      const key = name.slice(own.length);
      if (key === last) continue;
      last = key;
      yield key;
    }
  }

  async remove(key: string, id: string | undefined): Promise<void> {
    await this.#file(key, id).delete();
  }

  async hold(key: string, version: ObjectVersion, held: boolean): Promise<boolean> {
    await this.#file(key, version.id).setMetadata({ temporaryHold: held });
    return true;
  }

  async inspect(scratch: string): Promise<StoreFinding[]> {
    this.#verifiesCrc32c ??= await this.#refusesWrongCrc32c(`${scratch}crc32c`);
    return [
      this.#verifiesCrc32c
        ? {
            level: "ok",
            message: "the service verifies CRC32C on the way, and every stored object is read back once",
          }
        : {
            level: "warning",
            message: "the service does not verify CRC32C on the way; every stored object is read back once",
          },
      await this.#inspectBucket(),
    ];
  }

  clockAheadMs(): number | undefined {
    return this.#clock.aheadMs;
  }

  fault(error: unknown) {
    return gcsFault(error);
  }

  #file(key: string, generation: string | undefined) {
    return this.#bucket.file(this.#config.prefix + key, generation === undefined ? {} : { generation });
  }

  #files(prefix: string, startOffset: string | undefined) {
    return this.#bucket.getFilesStream({
      prefix,
      versions: true,
      ...(startOffset !== undefined && { startOffset }),
    }) as AsyncIterable<{ name: string; metadata: FileMetadata }>;
  }

  async #put(
    key: string,
    bytes: Uint8Array,
    sum: string,
    options: { onlyNew?: boolean; metadata: FileMetadata },
  ): Promise<{ id: string | undefined }> {
    const file = this.#file(key, undefined);
    // A view: the bytes are sent before the promise settles.
    await file.save(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      resumable: false,
      // The service compares it with what arrived and refuses another.
      validation: false,
      metadata: { contentType: "application/octet-stream", crc32c: sum, ...options.metadata },
      ...(options.onlyNew && { preconditionOpts: { ifGenerationMatch: 0 } }),
    });
    const { generation } = file.metadata;
    return { id: generation === undefined ? undefined : String(generation) };
  }

  async #refusesWrongCrc32c(key: string): Promise<boolean> {
    let id: string | undefined;
    try {
      ({ id } = await this.#put(key, Buffer.from("x"), crc32c(Buffer.from("another")), { metadata: {} }));
    } catch (error) {
      if (gcsFault(error).status === 400) return true;
      throw error;
    }
    await this.remove(key, id).catch(() => {});
    return false;
  }

  async #inspectBucket(): Promise<StoreFinding> {
    const { retention } = this.#config;
    try {
      const [found, answer] = await this.#bucket.getMetadata();
      this.#noteDate(answer);
      const policy = found.retentionPolicy;
      if (retention === "object")
        return found.objectRetention?.mode === "Enabled"
          ? { level: "ok", message: "the bucket has object retention; each recording brings its own date" }
          : {
              level: "warning",
              message: "the bucket does not say that object retention is enabled",
              hint: "Create a bucket with object retention (`gcloud storage buckets create --enable-per-object-retention`).",
            };
      if (retention === "bucket")
        return policy?.isLocked
          ? {
              level: "ok",
              message: `the bucket has a locked retention policy of ${policy.retentionPeriod} s`,
            }
          : {
              level: "warning",
              message: policy
                ? "the bucket's retention policy is not locked"
                : "the bucket has no retention policy",
              hint: "Set one that is at least as long as the recordings' retention, and lock it.",
            };
      return {
        level: "warning",
        message: "the configuration asks for no retention",
        hint: "Leave out `store.retention: none`.",
      };
    } catch (error) {
      return {
        level: "warning",
        message: `the bucket's settings could not be read (${gcsFault(error).name})`,
        hint: "Allow storage.buckets.get, which only reads.",
      };
    }
  }

  #noteDate(answer: unknown): void {
    const headers = (answer as { headers?: unknown } | undefined)?.headers;
    const text =
      headers instanceof Headers
        ? headers.get("date")
        : (headers as Record<string, string> | undefined)?.["date"];
    this.#clock.note(text ?? undefined);
  }
}

function crc32c(bytes: Uint8Array): string {
  const sum = new CRC32C();
  sum.update(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return sum.toString();
}
