/** Messages about an account without money, which hosts send with any status. Waiting does not help. */
const EMPTY_ACCOUNT = new RegExp(
  [
    "insufficient[ _](account[ _])?(balance|credits?|funds|quota|user[ _]quota)",
    "(balance|credits?|funds) (is|are|has|have|was|were)?( been)? ?(too low|exhausted|depleted|used up|not enough|insufficient)",
    "not enough (credits?|balance|funds)",
    "(out of|no more|requires more|no remaining) credits?",
    "(doesn't|does not|don't|do not) have any credits?",
    "negative balance",
    "billing hard limit",
    "spend(ing)? (limit|cap)",
    "payment required",
    "account is (overdue|in arrears)",
    "overdue[- ]payment",
    "arrearage",
    "余额不足",
    "欠费",
  ].join("|"),
  "i",
);

/** Maximum length of such a message. A longer one may quote the conversation. */
const MAX_CHARS = 500;

/** True if an upstream's message means that the account has no money left. */
export function isEmptyAccount(message: string): boolean {
  return message.length <= MAX_CHARS && EMPTY_ACCOUNT.test(message);
}
