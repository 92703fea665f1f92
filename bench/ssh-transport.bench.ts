/**
 * The SSH transport alone: two of our ends over loopback in this one process, so a figure is what sealing, writing,
 * reading and opening cost together on one core. The ratio is of CPU time, against the same bytes over a socket without
 * SSH: a machine with other work to do shows that one unchanged.
 *
 *     node bench/ssh-transport.bench.ts [cipher]
 */
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { once } from "node:events";
import { generateKey, keySigner } from "../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { type Transport, openTransport } from "../packages/gateway/src/protocols/ssh/transport/mod.ts";

const ciphers = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
];
const roundMs = 1000;
const rounds = 3;
const bulkBytes = 32_768;
const smallBytes = 48;

async function sockets(): Promise<{ near: Socket; far: Socket; close(): void }> {
  const server = createServer({ noDelay: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
  const [far] = (await once(server, "connection")) as [Socket];
  return {
    near,
    far,
    close() {
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}

type Round = { perS: number; cpuUsEach: number };

function measured(startMs: number, startCpu: NodeJS.CpuUsage, count: number): Round {
  const cpu = process.cpuUsage(startCpu);
  const seconds = (performance.now() - startMs) / 1000;
  return { perS: count / seconds, cpuUsEach: (cpu.user + cpu.system) / count };
}

/** Sends bodies of one size for `roundMs` and counts the packets that arrived. */
async function transportRound(cipher: string, bodyBytes: number): Promise<Round> {
  const { near, far, close } = await sockets();
  const hostKey = keySigner(generateKey("ed25519"));
  let packets = 0;
  const opening = openTransport({
    role: "server",
    socket: far,
    hostKeys: [hostKey],
    ciphers: [cipher],
    events: { packet: () => void packets++, closed() {} },
  });
  const sender: Transport = await openTransport({
    role: "client",
    socket: near,
    hostKeyAlgorithms: hostKey.algorithms,
    verifyHostKey() {},
    ciphers: [cipher],
    events: { packet() {}, closed() {} },
  });
  await opening;
  const head = Uint8Array.of(94, 0, 0, 0, 0, 0, 0, 0, 0);
  const body = new Uint8Array(bodyBytes).fill(0x5a);
  // What one read of another socket would bring, in one turn of the event loop.
  const perTurn = Math.max(1, Math.round(65_536 / bodyBytes));
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  while (performance.now() - startMs < roundMs) {
    for (let i = 0; i < perTurn; i++) sender.sendParts(head, body);
    if (sender.congested) await sender.drained();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  const round = measured(startMs, startCpu, packets);
  close();
  return round;
}

/** The same as chunks of 32 KiB through a bare socket. */
async function plainRound(): Promise<Round> {
  const { near, far, close } = await sockets();
  let bytes = 0;
  far.on("data", (chunk: Buffer) => void (bytes += chunk.length));
  const body = Buffer.alloc(65_536, 0x5a);
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  while (performance.now() - startMs < roundMs) {
    if (!near.write(body)) await once(near, "drain");
  }
  const round = measured(startMs, startCpu, bytes / bulkBytes);
  close();
  return round;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

for (const cipher of process.argv[2] === undefined ? ciphers : [process.argv[2]]) {
  const plain: Round[] = [];
  const bulk: Round[] = [];
  const small: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    plain.push(await plainRound());
    bulk.push(await transportRound(cipher, bulkBytes));
    small.push(await transportRound(cipher, smallBytes));
  }
  const cpu = median(bulk.map((round) => round.cpuUsEach));
  const ratio = median(bulk.map((round, i) => (plain[i] as Round).cpuUsEach / round.cpuUsEach));
  const wall = median(bulk.map((round) => round.perS)) * bulkBytes;
  console.log(
    `${cipher.padEnd(30)} 32 KiB packets: ${(wall / 1e6).toFixed(0).padStart(4)} MB/s, ${(bulkBytes / cpu).toFixed(0).padStart(4)} MB per second of CPU (${ratio.toFixed(2)} of a bare socket);` +
      ` ${smallBytes} bytes: ${(median(small.map((round) => round.perS)) / 1e3).toFixed(0).padStart(3)} k/s, ${median(small.map((round) => round.cpuUsEach)).toFixed(1)} µs of CPU each`,
  );
}
