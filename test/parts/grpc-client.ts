/** gRPC's own Python client, with code that Debian's protoc makes from the .proto files: a client that we did not write. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("grpc_client.py", import.meta.url));
const protos = fileURLToPath(new URL("../../packages/contracts/proto", import.meta.url));

/** What the details of an error travel in (google.rpc.Status); Debian has no package with its Python code. */
const statusProto = `syntax = "proto3";
package google.rpc;
import "google/protobuf/any.proto";
message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }
`;

export type GrpcAnswer = {
  /** As protobuf's JSON has them, with the fields' own names. */
  messages: Record<string, unknown>[];
  status: string;
  detail: string;
  problem: { code?: string; hint?: string };
};
export type GrpcCall = {
  /** Each message as it comes. */
  onMessage(listener: (message: Record<string, unknown>) => void): void;
  cancel(): void;
  readonly ended: Promise<GrpcAnswer>;
};
export type GrpcClient = {
  call(
    service: string,
    method: string,
    request?: Record<string, unknown>,
    how?: { token?: string; seconds?: number },
  ): GrpcCall;
  /** Takes nothing more from the network, as a program that is busy with something else, until `resume`. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
};

/** Generates the code into a folder and starts the client. */
export async function startGrpcClient(options: {
  folder: string;
  address: string;
  certificate: string;
}): Promise<GrpcClient> {
  const { folder, address } = options;
  const generated = join(folder, "grpc-python");
  mkdirSync(generated);
  writeFileSync(join(generated, "status.proto"), statusProto);
  const protoc = (from: string, ...files: string[]) =>
    execFileSync("/usr/bin/protoc", [
      `-I${from}`,
      `--python_out=${generated}`,
      `--grpc_python_out=${generated}`,
      "--plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin",
      ...files,
    ]);
  const own = ["frame", "session", "recording", "audit", "problem"];
  protoc(protos, ...own.map((name) => `gatehouse/v1/${name}.proto`));
  // A folder `grpc` would stand before the library of that name.
  protoc(join(protos, "grpc"), "health/v1/health.proto", "reflection/v1/reflection.proto");
  protoc(generated, "status.proto");
  const certificate = join(generated, "gate.pem");
  writeFileSync(certificate, options.certificate);

  const child: ChildProcess = spawn("/usr/bin/python3", [script, generated, address, certificate], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const calls = new Map<number, (line: Record<string, unknown>) => void>();
  const exited = once(child, "exit");
  if (!child.stdout) throw new Error("the client has no output");
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    calls.get(line["id"] as number)?.(line);
  });
  const tell = (line: Record<string, unknown>) => child.stdin?.write(`${JSON.stringify(line)}\n`);
  let last = 0;
  return {
    call(service, method, request = {}, how = {}) {
      const id = ++last;
      const messages: Record<string, unknown>[] = [];
      const listeners: ((message: Record<string, unknown>) => void)[] = [];
      const ended = new Promise<GrpcAnswer>((resolve, reject) => {
        void exited.then(() => reject(new Error("the client ended")));
        calls.set(id, (line) => {
          if (line["message"]) {
            const message = line["message"] as Record<string, unknown>;
            messages.push(message);
            for (const listener of listeners) listener(message);
          } else {
            calls.delete(id);
            const { status, detail = "", problem = {} } = line as { status: string } & Partial<GrpcAnswer>;
            resolve({ messages, status, detail, problem });
          }
        });
      });
      ended.catch(() => undefined);
      tell({ id, service, method, request, ...how });
      return {
        onMessage: (listener) => void listeners.push(listener),
        cancel: () => tell({ cancel: id }),
        ended,
      };
    },
    pause: () => lines.pause(),
    resume: () => lines.resume(),
    async close() {
      child.stdin?.end();
      await exited;
    },
  };
}
