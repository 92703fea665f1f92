/** Whether a startup parameter `replication` asks for anything but an ordinary session (§55.4). */
export function asksReplication(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false", "off", "no"].includes(value.toLowerCase());
}
