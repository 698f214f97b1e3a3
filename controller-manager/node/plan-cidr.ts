/** An IPv4 range; `base` is its first address as a number. */
export interface Cidr {
  readonly base: number;
  readonly bits: number;
}

/** Reads `10.244.0.0/16`. Throws an Error with one sentence when it is not an IPv4 range. */
export function parseCidr(text: string): Cidr {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const numbers = (match ?? []).slice(1).map(Number);
  const [a = 256, b = 256, c = 256, d = 256, bits = 33] = numbers;
  if (Math.max(a, b, c, d) > 255 || bits > 32) throw new Error(`"${text}" is not an IPv4 range like 10.244.0.0/16`);
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return { base: Math.floor(address / size) * size, bits };
}

export function formatCidr({ base, bits }: Cidr): string {
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256);
  return `${parts.join('.')}/${bits}`;
}

/** The first range of `bits` in `cluster` that overlaps none of `taken`; undefined when all are taken. */
export function nextFreeCidr(cluster: Cidr, bits: number, taken: readonly Cidr[]): Cidr | undefined {
  const size = 2 ** (32 - bits);
  const count = 2 ** (bits - cluster.bits);
  const used = new Set<number>();
  for (const { base, bits: takenBits } of taken) {
    const first = Math.floor((base - cluster.base) / size);
    const last = Math.floor((base + 2 ** (32 - takenBits) - 1 - cluster.base) / size);
    for (let index = Math.max(0, first); index <= Math.min(last, count - 1); index++) used.add(index);
  }
  for (let index = 0; index < count; index++) {
    if (!used.has(index)) return { base: cluster.base + index * size, bits };
  }
  return undefined;
}
