/** An IPv4 range in CIDR form, its addresses counted from 0 (the network address). */
export class AddressRange {
  readonly cidr: string;
  readonly #base: number;
  readonly size: number;

  constructor(cidr: string) {
    const [address = '', bits = ''] = cidr.split('/');
    const length = Number(bits);
    const base = addressToNumber(address);
    if (base === undefined || !/^\d{1,2}$/.test(bits) || length < 8 || length > 30) {
      throw new Error(`${cidr} is not an IPv4 range between /8 and /30`);
    }
    this.cidr = cidr;
    this.size = 2 ** (32 - length);
    this.#base = base - (base % this.size);
  }

  at(offset: number): string {
    const value = this.#base + offset;
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  }

  /** The address may be given to a Service: inside, and neither network nor broadcast. */
  has(address: string): boolean {
    const value = addressToNumber(address);
    return value !== undefined && value > this.#base && value < this.#base + this.size - 1;
  }
}

export function addressToNumber(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}
