import { GatehouseError } from "@gatehouse/kernel";

/** Long rather than intricate (NIST SP 800-63B §3.1.1.2); the upper end only keeps the work small. */
const passwordCharsMin = 12;
const passwordCharsMax = 256;
const differentCharsMin = 5;

/** Throws `invalid`, saying what is wanted, for what would be guessed first. */
export function requireGoodPassword(password: string, name: string): void {
  const characters = [...password.normalize("NFKC")];
  const refusal = (message: string, hint: string) =>
    new GatehouseError({ code: "invalid", op: "identity.password", message, hint });
  if (characters.length < passwordCharsMin)
    throw refusal(
      `a password has at least ${passwordCharsMin} characters; this one has ${characters.length}`,
      "Several words in a row are good, and easy to remember.",
    );
  if (characters.length > passwordCharsMax)
    throw refusal(`a password has at most ${passwordCharsMax} characters`, "Take a shorter one.");
  if (new Set(characters).size < differentCharsMin)
    throw refusal(
      `a password has at least ${differentCharsMin} different characters`,
      "Repeated characters are guessed first.",
    );
  const plain = password.toLowerCase();
  if (plain.includes(name.toLowerCase()) && name.length >= 3)
    throw refusal("a password must not contain the name that it is for", "Leave the name out of it.");
  if (runs.some((run) => run.includes(plain)))
    throw refusal("this password is a row of keys", "Rows of keys are guessed first.");
}

const runs = ["12345678901234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"];
