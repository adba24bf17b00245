const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 24;

/** Random bytes for many ids. Each call of the runtime's generator takes longer than the rest of an id. */
const pool = new Uint8Array(4096);
let used = pool.length;

/** Returns an unguessable id: the prefix and 24 random letters and digits, about 143 bits. */
export function newId(prefix: string): string {
  let id = prefix;
  for (let missing = ID_LENGTH; missing > 0;) {
    const byte = nextByte();
    // 248 is the largest multiple of 62 below 256. Bytes from 248 on are skipped: they would favour some letters.
    if (byte >= 248) continue;
    id += ALPHABET[byte % 62];
    missing--;
  }
  return id;
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
