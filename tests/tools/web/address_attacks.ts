/** IPv4 addresses that are not public: of this machine, of its network, of its cloud. */
export const PRIVATE = [
  ...["127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255"],
  ...["169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
  ...["100.64.0.1", "100.100.100.200", "100.127.255.255", "168.63.129.16", "192.0.0.192", "192.0.2.1"],
  ...[
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
  ],
  ...["255.255.255.255", "192.88.99.1"],
];

/** IPv6 addresses that are not public. */
export const PRIVATE_6 = [
  ...[
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
  ],
  ...[
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2001:10::1",
    "2001:20::1",
    "2001:2::1",
    "3fff::1",
  ],
  ...["2002:7f00:1::", "5f00::1", "4000::1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "::ffff:0:7f00:1"],
];

/** Returns all known notations of an IPv4 address as the host of a URL. */
export function writeHosts(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  const hex = (value: number, width = 1) => value.toString(16).padStart(width, "0");
  const oct = (value: number) => value.toString(8);
  const [high, low] = [hex(a * 256 + b), hex(c * 256 + d)];
  const toWide = (text: string) =>
    text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
  const toCircled = (text: string) =>
    text.replace(/[1-9]/g, (digit) => String.fromCharCode(0x2460 + Number(digit) - 1)).replaceAll("0", "⓪");
  return [
    address,
    `${address}.`,
    `${address}..`,
    String(number),
    `${number}.`,
    `0x${hex(number)}`,
    `0X${hex(number).toUpperCase()}`,
    `0x${hex(number, 16)}`,
    `0${oct(number)}`,
    `0000${oct(number)}`,
    [a, b, c, d].map((part) => `0x${hex(part)}`).join("."),
    [a, b, c, d].map((part) => `0${oct(part)}`).join("."),
    [a, b, c, d].map((part) => `000${oct(part)}`).join("."),
    `0x${hex(a)}.${b}.0${oct(c)}.${d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}`,
    `0${oct(a)}.0x${hex((b * 256 + c) * 256 + d)}`,
    toWide(address),
    toWide(String(number)),
    toCircled(address),
    address.replaceAll(".", "。"),
    address.replaceAll(".", "．"),
    address.replaceAll(".", "｡"),
    address.replaceAll(".", "%2e"),
    address.replace(/\d/g, (digit) => `%3${digit}`),
    String(number + 2 ** 32),
    `[::ffff:${address}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[::${address}]`,
    `[::${high}:${low}]`,
    `[::ffff:0:${address}]`,
    `[64:ff9b::${address}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[2002:${high}:${low}::1]`,
    `[2001:0:${high}:${low}::1]`,
    `[2001::${high}:${low}]`,
    `example.com@${address}`,
    `example.com:80@${address}`,
    `${address}%00.example.com`,
    `${address}%0d%0a.example.com`,
    `${address}\t`,
    `ex\0ample.com@${address}`,
  ];
}

/** Names of this machine, for any resolver. */
export const LOCAL_NAMES = [
  ...[
    "localhost",
    "LOCALHOST",
    "localhost.",
    "LocalHost..",
    "ip6-localhost",
    "ip6-loopback",
    "broadcasthost",
  ],
  ...[
    "a.localhost",
    "a.b.localhost.",
    "localhost.localdomain",
    "printer.local",
    "intranet",
    "router",
    "metadata",
  ],
  ...[
    "metadata.google.internal",
    "Metadata.Google.Internal.",
    "x.home.arpa",
    "ｌｏｃａｌｈｏｓｔ",
    "loc%61lhost",
    "0x7f.1",
  ],
  ...[
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "00",
    "1",
    "0x7f000001.",
    "017700000001",
    "[::]",
    "[::1]",
    "[0::1]",
    "[::1%25lo]",
  ],
  ...[
    "127.0.0.1.nip.io:80@localhost",
    "a..localhost",
    "-.localhost",
    "localhost%00",
    "localhost%2f",
    "999",
    "1.2.3.4.5",
  ],
];
