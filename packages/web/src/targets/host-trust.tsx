import type { Target } from "@gatehouse/contracts/rest";
import { Badge } from "../ui/elements.tsx";

export function HostTrustBadge({ kind }: { kind: Target["hostTrust"]["kind"] }) {
  switch (kind) {
    case "none":
      return <Badge tone="attention">not trusted yet</Badge>;
    case "pinned":
      return <Badge tone="plain">pinned</Badge>;
    case "ca":
      return <Badge tone="plain">signed by a CA</Badge>;
  }
}
