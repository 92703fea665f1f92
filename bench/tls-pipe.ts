/**
 * The least that any gate in Node does for PostgreSQL: TLS on both legs, and every chunk written on as it came. Nothing is looked at,
 * recorded or awaited. What a gate costs beyond this is the gate's own. Run as a process: `tls-pipe.ts <port of the server>`; it
 * prints its own port.
 */
import { connect, createServer } from "node:net";
import { TLSSocket, connect as connectTls } from "node:tls";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { makeCertificate, readCertificate } from "../packages/gateway/src/passage/mod.ts";

const port = Number(process.argv[2]);
const { certificate, key } = readCertificate(
  await makeCertificate({ hosts: ["127.0.0.1"], clock: systemClock, random: systemRandom }),
);
/** SSLRequest (PostgreSQL §55.2.10): its length, and its number. */
const sslRequest = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

const server = createServer({ noDelay: true }, (raw) => {
  raw.once("data", () => {
    raw.pause();
    const way = connect({ host: "127.0.0.1", port, noDelay: true }, () => way.write(sslRequest));
    way.once("data", () => {
      const target = connectTls({ socket: way, rejectUnauthorized: false }, () => {
        raw.write("S");
        const client = new TLSSocket(raw, { isServer: true, cert: certificate, key });
        client.on("data", (chunk: Buffer) => target.write(chunk));
        target.on("data", (chunk: Buffer) => client.write(chunk));
        client.on("error", () => target.destroy()).on("close", () => target.destroy());
        target.on("error", () => client.destroy()).on("close", () => client.destroy());
      });
    });
  });
  raw.on("error", () => undefined);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
