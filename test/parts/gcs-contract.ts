/**
 * A small server that speaks as much of Google Cloud Storage's JSON API as our store uses, written from its documentation
 * (cloud.google.com/storage/docs/json_api/v1).
 *
 * It is no Google and proves nothing about Google: it shows that our requests carry the preconditions, checksums,
 * generations and retention dates that the documentation asks for, and that we read the documented answers. It keeps
 * generations, refuses a wrong CRC32C, and keeps an object until a locked retention has ended.
 */
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Resource = {
  name: string;
  generation: string;
  size: string;
  crc32c: string;
  metadata?: Record<string, string>;
  retention?: { mode: string; retainUntilTime: string };
  temporaryHold?: boolean;
  timeDeleted?: string;
};
type Stored = { resource: Resource; bytes: Buffer };

export type GcsContract = {
  endpoint: string;
  /** Writes without any precondition, as another program with the same rights would. */
  overwrite(name: string, bytes: Uint8Array): void;
  /** What lies there, by name. */
  names(): string[];
  close(): Promise<void>;
};

const uploadPath = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/;
const bucketPath = /^\/storage\/v1\/b\/([^/]+)$/;
const objectsPath = /^\/storage\/v1\/b\/([^/]+)\/o$/;
const objectPath = /^\/(?:download\/)?storage\/v1\/b\/([^/]+)\/o\/([^/]+)$/;

/** One bucket; with `retention` its objects may be locked one by one, with `versioning` an overwrite keeps the former. */
export async function startGcsContract(of: {
  bucket: string;
  retention: boolean;
  versioning: boolean;
  /** Asked before an object is removed: one that waits stalls the request; `false` leaves the object where it is. */
  onRemove?: (name: string) => Promise<boolean>;
}): Promise<GcsContract> {
  const objects: Stored[] = [];
  let generations = 1_700_000_000_000_000;
  const live = (name: string) =>
    objects.find(({ resource }) => resource.name === name && resource.timeDeleted === undefined);
  const held = ({ resource }: Stored) =>
    resource.temporaryHold === true ||
    (resource.retention?.mode === "Locked" && Date.parse(resource.retention.retainUntilTime) > Date.now());
  const drop = (stored: Stored) => objects.splice(objects.indexOf(stored), 1);
  const insert = (name: string, bytes: Buffer, given: Partial<Resource>): Resource => {
    const former = live(name);
    if (former && of.versioning) former.resource.timeDeleted = new Date().toISOString();
    else if (former) drop(former);
    const resource: Resource = {
      ...given,
      name,
      generation: String(generations++),
      size: String(bytes.length),
      crc32c: sumOf(bytes),
    };
    objects.push({ resource, bytes });
    return resource;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://gcs");
    const query = url.searchParams;
    const bucket = [uploadPath, bucketPath, objectsPath, objectPath]
      .map((path) => path.exec(url.pathname)?.[1])
      .find((found) => found !== undefined);
    if (bucket !== of.bucket) return fail(response, 404, "notFound", "The specified bucket does not exist.");
    if (bucketPath.test(url.pathname))
      return send(response, {
        name: bucket,
        versioning: { enabled: of.versioning },
        ...(of.retention && { objectRetention: { mode: "Enabled" } }),
      });
    if (uploadPath.test(url.pathname)) {
      const { metadata, bytes } = multipart(request, await bodyOf(request));
      const name = query.get("name") ?? (metadata.name as string);
      if (query.get("ifGenerationMatch") === "0" && live(name))
        return fail(response, 412, "conditionNotMet", "At least one precondition did not hold.");
      const former = live(name);
      if (former && held(former) && !of.versioning)
        return fail(response, 403, "retentionPolicyNotMet", "The object is under retention.");
      if (metadata.crc32c !== undefined && metadata.crc32c !== sumOf(bytes))
        return fail(response, 400, "invalid", "Provided CRC32C does not match the calculated one.");
      if (metadata.retention && !of.retention)
        return fail(response, 400, "invalid", "Object retention is not enabled for this bucket.");
      return send(response, insert(name, bytes, metadata));
    }
    if (objectsPath.test(url.pathname)) {
      const prefix = query.get("prefix") ?? "";
      const from = query.get("startOffset") ?? "";
      const items = objects
        .map(({ resource }) => resource)
        .filter(({ name }) => name.startsWith(prefix) && name >= from)
        .filter(({ timeDeleted }) => query.get("versions") === "true" || timeDeleted === undefined)
        .sort((a, b) =>
          a.name === b.name ? Number(a.generation) - Number(b.generation) : a.name < b.name ? -1 : 1,
        );
      // Pages as small as the documentation lets any page be.
      const at = Number(query.get("pageToken") ?? 0);
      const page = items.slice(at, at + 3);
      return send(response, {
        items: page,
        ...(at + page.length < items.length && { nextPageToken: String(at + page.length) }),
      });
    }
    const name = decodeURIComponent(objectPath.exec(url.pathname)?.[2] ?? "");
    const generation = query.get("generation");
    const found =
      generation === null
        ? live(name)
        : objects.find(({ resource }) => resource.name === name && resource.generation === generation);
    if (!found) return fail(response, 404, "notFound", `No such object: ${bucket}/${name}`);
    if (request.method === "DELETE") {
      if (held(found)) return fail(response, 403, "retentionPolicyNotMet", "The object is under retention.");
      if (of.onRemove && !(await of.onRemove(name)))
        return fail(response, 503, "backendError", "Backend Error");
      if (of.versioning && generation === null) found.resource.timeDeleted = new Date().toISOString();
      else drop(found);
      response.writeHead(204).end();
      return;
    }
    if (request.method === "PATCH") {
      const change = JSON.parse((await bodyOf(request)).toString()) as Partial<Resource>;
      Object.assign(found.resource, { temporaryHold: change.temporaryHold ?? false });
      return send(response, found.resource);
    }
    if (query.get("alt") !== "media") return send(response, found.resource);
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const bytes = range ? found.bytes.subarray(Number(range[1]), Number(range[2]) + 1) : found.bytes;
    response.writeHead(range ? 206 : 200, {
      "content-length": bytes.length,
      "content-type": "application/octet-stream",
      "x-goog-hash": `crc32c=${found.resource.crc32c}`,
    });
    response.end(bytes);
  };

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    names: () => objects.map(({ resource }) => resource.name).sort(),
    overwrite: (name, bytes) => void insert(name, Buffer.from(bytes), {}),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** `multipart/related` (RFC 2387): the resource, then the bytes. */
function multipart(request: IncomingMessage, body: Buffer): { metadata: Partial<Resource>; bytes: Buffer } {
  const boundary = /boundary="?([^";]+)/.exec(request.headers["content-type"] ?? "")?.[1] as string;
  const first = body.indexOf("\r\n\r\n") + 4;
  const second = body.indexOf(`\r\n--${boundary}`, first);
  const bytes = body.indexOf("\r\n\r\n", second) + 4;
  const end = body.lastIndexOf(`\r\n--${boundary}--`);
  return {
    metadata: JSON.parse(body.subarray(first, second).toString()) as Partial<Resource>,
    bytes: body.subarray(bytes, end),
  };
}

/** CRC32C (RFC 3720 appendix B.4), big-endian in base64, bit by bit: nothing here is shared with what is tested. */
function sumOf(bytes: Buffer): string {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0x82f63b78 : 0);
  }
  const out = Buffer.alloc(4);
  out.writeUInt32BE((sum ^ 0xffffffff) >>> 0);
  return out.toString("base64");
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function fail(response: ServerResponse, code: number, reason: string, message: string): void {
  response
    .writeHead(code, { "content-type": "application/json" })
    .end(JSON.stringify({ error: { code, message, errors: [{ domain: "global", reason, message }] } }));
}
