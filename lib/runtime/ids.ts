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

/** Consonants: a code without vowels is no word. */
const CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";

/** Returns an unguessable code for a person to type: eight consonants, about 34 bits. Source: RFC 8628, section 6.1 */
export function newUserCode(): string {
  let code = "";
  // 240 is the largest multiple of 20 below 256.
  while (code.length < 8) {
    for (const byte of crypto.getRandomValues(new Uint8Array(8))) {
      if (byte < 240 && code.length < 8) code += CODE_ALPHABET[byte % 20];
    }
  }
  return code;
}
