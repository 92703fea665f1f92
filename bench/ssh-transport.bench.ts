/**
 * The SSH transport alone: two of our ends over loopback in this one process, so a figure is what sealing, writing,
 * reading and opening cost together on one core. The ratio is against the same bytes over the same socket without SSH.
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

/** Sends bodies of one size for `roundMs` and tells what arrived. */
async function transportRound(
  cipher: string,
  bodyBytes: number,
): Promise<{ bytesPerS: number; packetsPerS: number; cpuUsPerPacket: number }> {
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
  // A producer of a turn of the event loop: what one read of another socket would bring.
  const perTurn = Math.max(1, Math.round(65_536 / bodyBytes));
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  while (performance.now() - startMs < roundMs) {
    for (let i = 0; i < perTurn; i++) sender.sendParts(head, body);
    if (sender.congested) await sender.drained();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(startCpu);
  const arrived = packets;
  close();
  return {
    bytesPerS: (arrived * bodyBytes) / seconds,
    packetsPerS: arrived / seconds,
    cpuUsPerPacket: (cpu.user + cpu.system) / arrived,
  };
}

async function plainRound(): Promise<number> {
  const { near, far, close } = await sockets();
  let bytes = 0;
  far.on("data", (chunk: Buffer) => void (bytes += chunk.length));
  const body = Buffer.alloc(65_536, 0x5a);
  const startMs = performance.now();
  while (performance.now() - startMs < roundMs) {
    if (!near.write(body)) await once(near, "drain");
  }
  const seconds = (performance.now() - startMs) / 1000;
  close();
  return bytes / seconds;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

const wanted = process.argv[2] === undefined ? ciphers : [process.argv[2]];
for (const cipher of wanted) {
  const bulk: number[] = [];
  const small: number[] = [];
  const ratios: number[] = [];
  const cpuBulk: number[] = [];
  const cpuSmall: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const plain = await plainRound();
    const { bytesPerS, cpuUsPerPacket } = await transportRound(cipher, 32_768);
    bulk.push(bytesPerS);
    ratios.push(bytesPerS / plain);
    cpuBulk.push(cpuUsPerPacket);
    const little = await transportRound(cipher, 48);
    small.push(little.packetsPerS);
    cpuSmall.push(little.cpuUsPerPacket);
  }
  console.log(
    `${cipher.padEnd(30)} ${(median(bulk) / 1e6).toFixed(0).padStart(6)} MB/s in 32 KiB packets` +
      ` (${median(ratios).toFixed(2)} of a bare socket, ${median(cpuBulk).toFixed(1)} µs CPU each)` +
      `  ${(median(small) / 1e3).toFixed(0).padStart(5)} k packets/s of 48 bytes (${median(cpuSmall).toFixed(1)} µs CPU each)`,
  );
}
