import { createHash } from "node:crypto";
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { type Clock, GatehouseError } from "@gatehouse/kernel";
import type { ObjectFacts, ObjectService, ObjectVersion, StoreFinding } from "../object-service.ts";
import { ServiceClock } from "../service-clock.ts";
import { azureFault } from "./azure-fault.ts";
import type { AzureStoreConfig } from "./config.ts";

const tryTimeoutMs = 60_000;
/** Metadata names are identifiers: no hyphens. */
const retainUntil = "gatehouse_retain_until";

export async function createAzureService(
  config: AzureStoreConfig,
  options: { clock: Clock; connection: string | undefined },
): Promise<ObjectService> {
  const credential =
    options.connection === undefined ? await defaultCredential() : sharedKey(options.connection);
  const account = new BlobServiceClient(config.account_url, credential, {
    retryOptions: {
      maxTries: 3,
      tryTimeoutInMs: tryTimeoutMs,
      retryDelayInMs: 200,
      maxRetryDelayInMs: 2_000,
    },
  });
  return new AzureService(config, options.clock, account.getContainerClient(config.container));
}

async function defaultCredential() {
  const { DefaultAzureCredential } = await import("@azure/identity");
  return new DefaultAzureCredential();
}

function sharedKey(connection: string): StorageSharedKeyCredential {
  const field = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(connection)?.[1];
  const [account, key] = [field("AccountName"), field("AccountKey")];
  if (account === undefined || key === undefined)
    throw new GatehouseError({
      code: "invalid",
      op: "store.open",
      message: "AZURE_STORAGE_CONNECTION_STRING has no AccountName and AccountKey",
      hint: "Set it to the account's connection string, or unset it for Azure's default credentials.",
    });
  return new StorageSharedKeyCredential(account, key);
}

class AzureService implements ObjectService {
  readonly location: string;
  readonly asksRetention: boolean;
  readonly #config: AzureStoreConfig;
  readonly #clock: ServiceClock;
  readonly #container: ContainerClient;
  #containerKeeps = false;
  #verifiesMd5: boolean | undefined;

  constructor(config: AzureStoreConfig, clock: Clock, container: ContainerClient) {
    this.#config = config;
    this.#clock = new ServiceClock(clock);
    this.asksRetention = config.immutability === "version";
    this.#container = container;
    this.location = `${config.account_url.replace(/\/$/, "")}/${config.container}/${config.prefix}`;
  }

  async put(
    key: string,
    bytes: Uint8Array,
    options: { retainUntilMs: number; onlyNew: boolean },
  ): Promise<{ id: string | undefined }> {
    const { retainUntilMs } = options;
    const md5 = createHash("md5").update(bytes).digest();
    const keeps = this.asksRetention && retainUntilMs > this.#clock.nowMs();
    const { date, versionId } = await this.#container
      .getBlockBlobClient(this.#config.prefix + key)
      // A view: the bytes are sent before the promise settles.
      .upload(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes.length, {
        ...(options.onlyNew && { conditions: { ifNoneMatch: "*" } }),
        transactionalContentMD5: md5,
        blobHTTPHeaders: { blobContentType: "application/octet-stream", blobContentMD5: md5 },
        metadata: { [retainUntil]: String(retainUntilMs) },
        ...(keeps && {
          // The header has whole seconds; never sooner than asked.
          immutabilityPolicy: {
            policyMode: "Locked",
            expiriesOn: new Date(Math.ceil(retainUntilMs / 1000) * 1000),
          },
        }),
      });
    this.#clock.note(date);
    return { id: versionId };
  }

  async versions(key: string): Promise<{ versions: ObjectVersion[]; markers: string[] }> {
    const name = this.#config.prefix + key;
    const versions: { order: string; version: ObjectVersion }[] = [];
    for await (const blob of this.#container.listBlobsFlat({ prefix: name, includeVersions: true })) {
      if (blob.name !== name) break;
      const md5 = blob.properties.contentMD5;
      const bytes = blob.properties.contentLength ?? 0;
      const tag = md5 && Buffer.from(md5).toString("hex");
      versions.push({ order: blob.versionId ?? "", version: { id: blob.versionId, bytes, tag } });
    }
    // A version's id is the time when it was written.
    versions.sort((a, b) => (a.order < b.order ? -1 : 1));
    return { versions: versions.map(({ version }) => version), markers: [] };
  }

  async get(
    key: string,
    version: ObjectVersion,
    range?: { start: number; end: number },
  ): Promise<Uint8Array> {
    const { start, end } = range ?? { start: 0, end: version.bytes };
    if (end === start) return new Uint8Array(0);
    const into = Buffer.alloc(end - start);
    const answer = await this.#blob(key, version.id).download(start, end - start);
    let at = 0;
    for await (const chunk of answer.readableStreamBody as AsyncIterable<Buffer>) {
      // One that sends more than it was asked for is as wrong as one that sends less.
      if (at + chunk.length > into.length) throw new Error("the service sent more than it was asked for");
      at += chunk.copy(into, at);
    }
    return into.subarray(0, at);
  }

  async facts(key: string, version: ObjectVersion): Promise<ObjectFacts> {
    const found = await this.#blob(key, version.id).getProperties();
    this.#clock.note(found.date);
    const noted = Number(found.metadata?.[retainUntil] ?? 0);
    const retainUntilMs = Number.isFinite(noted) ? noted : 0;
    // A policy that is not locked can be lifted. A container's own policy shows no date at its blobs.
    const locked = found.immutabilityPolicyMode?.toLowerCase() === "locked";
    const lockedUntilMs = locked ? (found.immutabilityPolicyExpiresOn?.getTime() ?? 0) : 0;
    return {
      retainUntilMs,
      held: found.legalHold === true,
      lockedUntilMs: this.#containerKeeps ? Math.max(retainUntilMs, lockedUntilMs) : lockedUntilMs,
    };
  }

  async *keys(prefix: string, after: string | undefined): AsyncIterable<string> {
    const own = this.#config.prefix;
    let last = "";
    for await (const { name } of this.#container.listBlobsFlat({
      prefix: own + prefix,
      includeVersions: true,
    })) {
      const key = name.slice(own.length);
      if (key === last || (after !== undefined && key <= after)) continue;
      last = key;
      yield key;
    }
  }

  async remove(key: string, id: string | undefined): Promise<void> {
    const blob = this.#blob(key, id);
    try {
      await blob.delete();
    } catch (error) {
      // The current version has to become a former one first.
      if (azureFault(error).name !== "OperationNotAllowedOnRootBlob") throw error;
      await this.#blob(key, undefined).delete();
      await blob.delete();
    }
  }

  async hold(key: string, version: ObjectVersion, held: boolean): Promise<boolean> {
    if (this.#config.immutability !== "version") return false;
    await this.#blob(key, version.id).setLegalHold(held);
    return true;
  }

  async inspect(scratch: string): Promise<StoreFinding[]> {
    this.#verifiesMd5 ??= await this.#refusesWrongMd5(`${scratch}md5`);
    return [
      this.#verifiesMd5
        ? {
            level: "ok",
            message: "the service verifies MD5 on the way, and every stored blob is read back once",
          }
        : {
            level: "warning",
            message: "the service does not verify MD5 on the way; every stored blob is read back once",
          },
      await this.#inspectContainer(),
    ];
  }

  clockAheadMs(): number | undefined {
    return this.#clock.aheadMs;
  }

  fault(error: unknown) {
    return azureFault(error);
  }

  #blob(key: string, id: string | undefined) {
    const blob = this.#container.getBlobClient(this.#config.prefix + key);
    return id === undefined ? blob : blob.withVersion(id);
  }

  async #refusesWrongMd5(key: string): Promise<boolean> {
    const wrong = createHash("md5").update("another").digest();
    const blob = this.#container.getBlockBlobClient(this.#config.prefix + key);
    try {
      await blob.upload("x", 1, { transactionalContentMD5: wrong });
    } catch (error) {
      if (azureFault(error).status === 400) return true;
      throw error;
    }
    await blob.delete().catch(() => {});
    return false;
  }

  async #inspectContainer(): Promise<StoreFinding> {
    const { immutability } = this.#config;
    try {
      const found = await this.#container.getProperties();
      this.#clock.note(found.date);
      this.#containerKeeps = immutability === "container" && found.hasImmutabilityPolicy === true;
      if (immutability === "version")
        return found.isImmutableStorageWithVersioningEnabled
          ? {
              level: "ok",
              message:
                "the container supports version-level immutability; each recording brings its own date",
            }
          : {
              level: "warning",
              message: "the container does not say that it supports version-level immutability",
              hint: "Create a container with it; it takes versioning of the account.",
            };
      if (immutability === "container")
        return found.hasImmutabilityPolicy
          ? {
              level: "ok",
              message:
                "the container has a retention policy of its own; whether it is locked, only the account's administrators see",
            }
          : {
              level: "warning",
              message: "the container has no retention policy",
              hint: "Set a time-based retention policy that is at least as long as the recordings' and lock it.",
            };
      return {
        level: "warning",
        message: "the configuration asks for no immutability",
        hint: "Leave out `store.immutability: none`.",
      };
    } catch (error) {
      return {
        level: "warning",
        message: `the container's settings could not be read (${azureFault(error).name})`,
        hint: "Give this account the role Storage Blob Data Contributor on the container, or one with its rights.",
      };
    }
  }
}
