const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 24;

/** Returns an unguessable id: the prefix and 24 random letters and digits, about 143 bits. */
export function newId(prefix: string): string {
  let id = prefix;
  // 248 is the largest multiple of 62 below 256. Bytes from 248 on are skipped: they would favour some letters.
  while (id.length < prefix.length + ID_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(ID_LENGTH))) {
      if (byte < 248 && id.length < prefix.length + ID_LENGTH) id += ALPHABET[byte % 62];
    }
  }
  return id;
}
