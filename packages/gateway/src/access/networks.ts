import { BlockList, isIP, isIPv6 } from "node:net";

/** Lists are asked again and again, and are made once. */
const made = new Map<string, BlockList>();
const madeMax = 1000;

/** Whether an address is in one of the networks (`10.0.0.0/8`, `2001:db8::/32`, or an address by itself). */
export function isIn(networks: readonly string[], address: string): boolean {
  const plain = plainAddress(address);
  if (isIP(plain) === 0) return false;
  return listOf(networks).check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
}

/** Whether it is an address, or a network with its prefix. */
export function isNetwork(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32));
}

/** A listener for both families sees IPv4 clients as `::ffff:10.0.0.1`; a zone (`%eth0`) names no network. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  return mapped?.[1] ?? address.replace(/%.*$/, "");
}

function listOf(networks: readonly string[]): BlockList {
  const key = networks.join(" ");
  let list = made.get(key);
  if (!list) {
    list = new BlockList();
    for (const network of networks) {
      const [address = "", prefix] = network.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (isIP(address) === 0) continue;
      if (prefix === undefined) list.addAddress(address, family);
      else list.addSubnet(address, Number(prefix), family);
    }
    if (made.size >= madeMax) made.clear();
    made.set(key, list);
  }
  return list;
}
