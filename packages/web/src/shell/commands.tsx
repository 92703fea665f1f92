import type { Me } from "@gatehouse/contracts/rest";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { CornerDownLeft } from "lucide-react";
import { type ReactNode, useState } from "react";
import { queries } from "../gateway.ts";
import { itemsOf } from "../pages/list.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { peopleRooms, places } from "./places.ts";

type Command = { id: string; name: string; note?: ReactNode; run: () => void };

const shownMax = 12;
const sessionId = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Ctrl-K: any place, the sessions of a person or a target, a session by its id, or a search for what was written. */
export function Commands({ me, isOpen, onClose }: { me: Me; isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="Go to" isOpen={isOpen} onClose={onClose}>
      <Chooser me={me} onClose={onClose} />
    </Dialog>
  );
}

function Chooser({ me, onClose }: { me: Me; onClose: () => void }) {
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState(0);
  const commands = useCommands(me, words.trim());
  const current = Math.min(chosen, commands.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    <div className="-m-4">
      <input
        role="combobox"
        aria-label="Command"
        aria-expanded
        aria-controls="commands"
        aria-activedescendant={current < 0 ? undefined : `command-${current}`}
        placeholder="A place, person, target, session, words to search for, or lock …"
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was opened to write here
        autoFocus
        autoComplete="off"
        spellCheck={false}
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setChosen(0);
        }}
        onKeyDown={(event) => {
          const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (step !== 0) setChosen((current + step + commands.length) % Math.max(1, commands.length));
          else if (event.key === "Enter") run(commands[current]);
          else return;
          event.preventDefault();
        }}
        className="h-11 w-full border-b bg-transparent px-4 outline-none placeholder:text-faint"
      />
      <div id="commands" role="listbox" aria-label="Commands" className="max-h-96 overflow-y-auto p-1">
        {commands.map((command, index) => (
          // The keys are the box's own; the pointer has this.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={command.id}
            id={`command-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            onClick={() => run(command)}
            onPointerMove={() => setChosen(index)}
            className="flex h-9 cursor-pointer items-center gap-3 rounded-md px-3 aria-selected:bg-chosen"
          >
            <span className="truncate">{command.name}</span>
            <span className="ml-auto shrink-0 text-xs text-faint">{command.note}</span>
            {index === current && <CornerDownLeft size={14} aria-hidden className="shrink-0 text-faint" />}
          </div>
        ))}
      </div>
    </div>
  );
}

function useCommands(me: Me, words: string): Command[] {
  const navigate = useNavigate();
  const may = (action: Me["may"][number]) => me.may.includes(action);
  const locking = may("lock.write") ? /^lock(?:\s+(.*))?$/i.exec(words) : null;
  const q = locking ? (locking[1] ?? "") : words;
  const asks = q.length >= 2;
  const targets = useInfiniteQuery({
    ...queries.targets({ q, limit: 5 }),
    enabled: asks && may("target.list"),
  });
  const people = useInfiniteQuery({
    ...queries.people({ q, limit: 5 }),
    enabled: asks && may("person.read"),
  });
  const fits = (name: string) => name.toLowerCase().includes(words.toLowerCase());
  const all: Command[] = [];
  const lock = (on: "user" | "target", name: string): Command => ({
    id: `lock-${on}-${name}`,
    name: `Lock ${name}`,
    note: on === "user" ? "shut the person out" : "shut the target",
    run: () => void navigate({ to: "/locks", search: { on, name } }),
  });
  if (locking) {
    if (asks) {
      all.push(...itemsOf(people).map(({ name }) => lock("user", name)));
      all.push(...itemsOf(targets).map(({ name }) => lock("target", name)));
    }
    all.push({
      id: "lock",
      name: "Lock somebody or something",
      note: "choose",
      run: () => void navigate({ to: "/locks", search: { on: "user" } }),
    });
    return all;
  }
  if (sessionId.test(words))
    all.push({
      id: "session",
      name: words,
      note: "open the session",
      run: () => void navigate({ to: "/sessions/$sessionId", params: { sessionId: words } }),
    });
  for (const place of [...places, ...peopleRooms.slice(1)])
    if (may(place.action) && fits(place.name))
      all.push({ id: place.to, name: place.name, note: "go to", run: () => void navigate({ to: place.to }) });
  if (asks)
    for (const { id, name } of itemsOf(people))
      all.push(
        {
          id: `of-${id}`,
          name: `Sessions of ${name}`,
          note: "person",
          run: () => void navigate({ to: "/sessions", search: { user: name } }),
        },
        {
          id,
          name,
          note: "open the person",
          run: () => void navigate({ to: "/people/$personId", params: { personId: id } }),
        },
      );
  if (asks)
    for (const { id, name } of itemsOf(targets))
      all.push(
        {
          id: `on-${id}`,
          name: `Sessions on ${name}`,
          note: "target",
          run: () => void navigate({ to: "/sessions", search: { target: name } }),
        },
        {
          id,
          name,
          note: "open the target",
          run: () => void navigate({ to: "/targets/$targetId", params: { targetId: id } }),
        },
      );
  // Few are meant, so there is room to offer more of each.
  if (asks && may("lock.write") && itemsOf(people).length + itemsOf(targets).length <= 2) {
    all.push(...itemsOf(people).map(({ name }) => lock("user", name)));
    all.push(...itemsOf(targets).map(({ name }) => lock("target", name)));
  }
  if (words !== "")
    all.push({
      id: "everywhere",
      name: `Search recordings for “${words}”`,
      note: "what was shown, run or typed",
      run: () => void navigate({ to: "/search", search: { text: words } }),
    });
  if (words !== "")
    all.push({
      id: "search",
      name: `Search sessions for “${words}”`,
      note: "who, where, which command",
      run: () => void navigate({ to: "/sessions", search: { q: words } }),
    });
  return all.slice(0, shownMax);
}
