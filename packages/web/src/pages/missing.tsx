import { Link } from "@tanstack/react-router";
import { Empty } from "../ui/states.tsx";

export function Missing() {
  return (
    <main>
      <Empty title="There is no such page">
        <p>The address may be old, or cut short when it was copied.</p>
        <Link to="/sessions" className="font-medium text-accent underline-offset-2 hover:underline">
          All sessions
        </Link>
      </Empty>
    </main>
  );
}
