/**
 * An HTTP proxy in front of one real server, which can be told to fail as networks and services do. Requests keep their
 * Host header, so signatures stay valid.
 */
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  createServer,
  request,
} from "node:http";
import type { AddressInfo } from "node:net";

export type ProxyFault =
  /** Nobody listens. */
  | { kind: "refused" }
  /** The connection is reset while an upload is on its way. */
  | { kind: "reset upload" }
  /** The connection is reset in the middle of an object that is read. */
  | { kind: "reset download" }
  /** Every request is answered with this. */
  | { kind: "answer"; status: number; headers?: Record<string, string>; body: string }
  /** Half an object is given, as if it were the whole. */
  | { kind: "half download" }
  /** One bit of what is uploaded is changed on the way. */
  | { kind: "flip upload" }
  /** One bit of what is read is changed on the way. */
  | { kind: "flip download" }
  /** An upload whose path has this in it reaches the server, and its answer nobody. */
  | { kind: "hold answer"; path: string }
  /** An upload is answered with success, and never reaches the server. */
  | { kind: "lie"; status: number; headers: Record<string, string>; body: string };

export type FaultProxy = {
  endpoint: string;
  /** Undefined heals. */
  set(fault: ProxyFault | undefined): Promise<void>;
  /** Requests that the present fault has met. */
  readonly met: number;
  close(): Promise<void>;
};

/** An upload is a request with a body that is no question in XML; a download is an answer of bytes. */
const isUpload = (incoming: IncomingMessage, body: Buffer) =>
  (incoming.method === "PUT" || incoming.method === "POST") && body.length > 0;
const isDownload = (headers: IncomingHttpHeaders) => headers["content-type"] === "application/octet-stream";

export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const target = new URL(upstream);
  let fault: ProxyFault | undefined;
  let met = 0;

  const forward = (incoming: IncomingMessage, body: Buffer) =>
    new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
      const outgoing = request(
        {
          host: target.hostname,
          port: target.port,
          method: incoming.method,
          path: incoming.url,
          headers: { ...incoming.headers, connection: "close" },
        },
        (response) =>
          void bodyOf(response).then(
            (answer) =>
              resolve({ status: response.statusCode ?? 500, headers: response.headers, body: answer }),
            reject,
          ),
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const now = fault;
    const body = await bodyOf(incoming);
    const upload = isUpload(incoming, body);
    if (now?.kind === "answer" || (now?.kind === "lie" && upload)) {
      met++;
      response.writeHead(now.status, now.headers ?? {}).end(incoming.method === "HEAD" ? "" : now.body);
      return;
    }
    if (now?.kind === "reset upload" && upload) {
      met++;
      incoming.socket.resetAndDestroy();
      return;
    }
    const flips = now?.kind === "flip upload" && upload;
    if (flips) met++;
    const answer = await forward(incoming, flips ? flipped(body) : body);
    if (now?.kind === "hold answer" && upload && incoming.url?.includes(now.path)) {
      met++;
      return;
    }
    const download = incoming.method === "GET" && answer.status < 300 && isDownload(answer.headers);
    if (!download || now === undefined) {
      send(response, answer, incoming.method);
      return;
    }
    switch (now.kind) {
      case "flip download":
        met++;
        send(response, { ...answer, body: flipped(answer.body) });
        return;
      case "half download":
        met++;
        send(response, { ...answer, body: answer.body.subarray(0, answer.body.length / 2) });
        return;
      case "reset download":
        met++;
        response.writeHead(answer.status, answer.headers);
        response.write(answer.body.subarray(0, answer.body.length / 2), () =>
          incoming.socket.resetAndDestroy(),
        );
        return;
      default:
        send(response, answer, incoming.method);
    }
  };
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    get met() {
      return met;
    },
    async set(next) {
      met = 0;
      fault = next;
      if (next?.kind === "refused") await stop();
      else if (!server.listening) await listen(port);
    },
    close: () => (server.listening ? stop() : Promise.resolve()),
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(
  response: ServerResponse,
  answer: { status: number; headers: IncomingHttpHeaders; body: Buffer },
  method?: string,
): void {
  const { "transfer-encoding": _chunked, connection: _connection, ...headers } = answer.headers;
  // The length that a HEAD speaks of is not its own.
  const length = method === "HEAD" || answer.status === 204 ? {} : { "content-length": answer.body.length };
  response.writeHead(answer.status, { ...headers, ...length }).end(answer.body);
}

/** Late in the body: in front stand the words of a request in several parts. */
function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const at = Math.floor(copy.length * 0.75);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
