const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 24;

/** Random bytes for many ids. Each call of the runtime's generator takes longer than the rest of an id. */
const pool = new Uint8Array(4096);
let used = pool.length;

/** Returns an unguessable id: the prefix and 24 random letters and digits, about 143 bits. */
export function newId(prefix: string): string {
  // One text: a text that grows by letters takes 32 bytes for each of them, as long as it is kept.
  const codes: number[] = [];
  while (codes.length < ID_LENGTH) {
    const byte = nextByte();
    // 248 is the largest multiple of 62 below 256. Bytes from 248 on are skipped: they would favour some letters.
    if (byte < 248) codes.push(ALPHABET.charCodeAt(byte % 62));
  }
  return prefix + String.fromCharCode(...codes);
}

/** Consonants: a code without vowels is no word. */
const CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";

/** Returns an unguessable code for a person to type: eight consonants, about 34 bits. Source: RFC 8628, section 6.1 */
export function newUserCode(): string {
  let code = "";
  while (code.length < 8) {
    const byte = nextByte();
    // 240 is the largest multiple of 20 below 256.
    if (byte < 240) code += CODE_ALPHABET[byte % 20];
  }
  return code;
}

/** Returns a random byte, and removes it from the pool. */
function nextByte(): number {
  if (used === pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  pool[used++] = 0;
  return byte;
}
