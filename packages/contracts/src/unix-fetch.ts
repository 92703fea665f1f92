import { request } from "node:http";
import { Readable } from "node:stream";

/**
 * `fetch` over a unix socket, for the administrator's socket: `createClient({ baseUrl: "http://admin", fetch: unixFetch(path) })`.
 * Node's own fetch takes no socket path without another library. Bodies are text; the answer streams. Node only.
 */
export function unixFetch(socketPath: string): (url: string, init: RequestInit) => Promise<Response> {
  return (url, init) =>
    new Promise((resolve, reject) => {
      const { pathname, search } = new URL(url);
      const body = typeof init.body === "string" ? init.body : undefined;
      const outgoing = request({
        socketPath,
        path: pathname + search,
        method: init.method ?? "GET",
        headers: {
          host: "admin",
          ...(init.headers as Record<string, string> | undefined),
          ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        },
        ...(init.signal ? { signal: init.signal } : {}),
      });
      outgoing.once("error", reject);
      outgoing.once("response", (incoming) => {
        const headers = new Headers();
        for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2)
          headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
        const status = incoming.statusCode ?? 500;
        const hasBody = status !== 204 && status !== 304;
        if (!hasBody) incoming.resume();
        resolve(
          new Response(hasBody ? (Readable.toWeb(incoming) as unknown as ReadableStream<Uint8Array>) : null, {
            status,
            headers,
          }),
        );
      });
      outgoing.end(body);
    });
}
