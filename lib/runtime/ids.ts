const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 24;

/** Makes an id that nobody guesses: the prefix and 24 letters and digits, some 143 bits. */
export function newId(prefix: string): string {
  let id = prefix;
  // 248 is the largest multiple of 62 in a byte; what lies above it would favour some letters.
  while (id.length < prefix.length + ID_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(ID_LENGTH))) {
      if (byte < 248 && id.length < prefix.length + ID_LENGTH) id += ALPHABET[byte % 62];
    }
  }
  return id;
}
