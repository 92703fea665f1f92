import { Dialog } from "../ui/dialog.tsx";
import { Kbd } from "../ui/elements.tsx";
import { shortcuts } from "../ui/shortcuts.ts";

export function KeysHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const places = [...new Set(shortcuts.map((one) => one.where))];
  return (
    <Dialog title="Keys" isOpen={isOpen} onClose={onClose}>
      <div className="grid gap-4">
        {places.map((where) => (
          <section key={where}>
            <h3 className="mb-1 text-xs text-faint">{where}</h3>
            <dl className="divide-y">
              {shortcuts
                .filter((one) => one.where === where)
                .map((one) => (
                  <div key={one.does} className="flex items-center py-1">
                    <dt>{one.does}</dt>
                    <dd className="ml-auto flex gap-1">
                      {one.keys.map((key) => (
                        <Kbd key={key}>{key}</Kbd>
                      ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
